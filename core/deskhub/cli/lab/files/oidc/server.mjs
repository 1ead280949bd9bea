// A certified OpenID Connect provider with a few people in two companies.
// node server.mjs PORT HUB: HUB may be returned to; others register themselves.
// POST /_lab/rotate signs with a new key from now on and publishes no other.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [port, hub] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const people = {
  ann: { name: 'Ann Berg', email: 'ann@acme.example', tenant: 'acme', groups: ['support'] },
  bob: { name: 'Bob Lee', email: 'bob@acme.example', tenant: 'acme', groups: ['support-leads'] },
  eve: { name: 'Eve Roy', email: 'eve@other.example', tenant: 'other', groups: ['support'] },
};

const account = (_, sub) => people[sub] && {
  accountId: sub,
  claims: () => ({ sub, email_verified: true, ...people[sub] }),
};

// Clients and sessions outlive a rotation, as they do in a provider with a database.
const kept = new Map();

class Kept {
  constructor(model) { this.model = model; }

  key(id) { return `${this.model}:${id}`; }

  all() { return [...kept].filter(([key]) => key.startsWith(`${this.model}:`)).map(([, one]) => one); }

  async upsert(id, payload) { kept.set(this.key(id), payload); }

  async find(id) { return kept.get(this.key(id)); }

  async findByUid(uid) { return this.all().find((one) => one.uid === uid); }

  async findByUserCode(code) { return this.all().find((one) => one.userCode === code); }

  async consume(id) { kept.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }

  async destroy(id) { kept.delete(this.key(id)); }

  async revokeByGrantId(grant) {
    for (const [key, one] of kept) if (one.grantId === grant) kept.delete(key);
  }
}

function newKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'RS256', use: 'sig' };
}

function provider() {
  const made = new Provider(issuer, {
    clients: [{
      client_id: 'deskhub',
      client_secret: 'deskhub-lab-secret-deskhub-lab-secret',
      redirect_uris: [`${hub}/auth/company/callback`],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      backchannel_logout_uri: `${hub}/auth/company/signed-out`,
      backchannel_logout_session_required: true,
    }],
    adapter: Kept,
    jwks: { keys: [newKey()] },
    claims: { openid: ['sub', 'sid'], profile: ['name', 'tenant', 'groups'], email: ['email', 'email_verified'] },
    findAccount: account,
    features: {
      devInteractions: { enabled: true },
      registration: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      revocation: { enabled: true },
    },
    // Everybody who may sign in has agreed; the lab is about the protocol.
    issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
    pkce: { required: () => true },
    conformIdTokenClaims: false,
    // Its guard against private addresses would keep it from a hub on this machine.
    fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
    cookies: { keys: [randomUUID()] },
    ttl: { AccessToken: 600, IdToken: 600, RefreshToken: 86400, Session: 86400, Interaction: 600, Grant: 86400 },
  });
  made.on('backchannel.error', (_, error) => console.error('not told', error.message, error.cause));
  return made.callback();
}

let serve = provider();
createServer((request, response) => {
  if (request.method === 'POST' && request.url === '/_lab/rotate') {
    serve = provider();
    response.writeHead(204).end();
    return;
  }
  serve(request, response);
}).listen(Number(port), '127.0.0.1');
