// Reads one JSON request a line, lets a library judge it, answers one JSON line.
import { sign, verify } from "@octokit/webhooks-methods";
import "@shopify/shopify-api/adapters/node";
import { ApiVersion, shopifyApi } from "@shopify/shopify-api";
import { createInterface } from "node:readline";

const shop = (secret) =>
  shopifyApi({
    apiKey: "key", apiSecretKey: secret, apiVersion: Object.values(ApiVersion).at(-1), hostName: "desk.example",
    isEmbeddedApp: false, logger: { level: 0, log: () => {} },
  });

const judges = {
  "github.verify": ({ secret, body, header }) => verify(secret, body, header),
  "github.sign": ({ secret, body }) => sign(secret, body),
  "shopify.verify": async ({ secret, body, headers }) => {
    const rawRequest = { method: "POST", url: "/hook", headers };
    return (await shop(secret).webhooks.validate({ rawBody: body, rawRequest })).valid;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  console.log(JSON.stringify(await judges[asked.what](asked)));
}
