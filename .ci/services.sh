# Sourced by .ci/run: the services that some tests want, from Debian's own packages.
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

wanted=()
command -v chromium >/dev/null || wanted+=(chromium fonts-noto-cjk)
command -v pg_ctlcluster >/dev/null || wanted+=(postgresql)
command -v nats-server >/dev/null || wanted+=(nats-server)
compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || wanted+=(faketime)
command -v dovecot >/dev/null || wanted+=(dovecot-imapd)
command -v fusermount3 >/dev/null || wanted+=(fuse3)
if [ "${#wanted[@]}" -gt 0 ]; then
  apt-get update -qq
  apt-get install -y -qq "${wanted[@]}" >/dev/null
fi

if ! listens 5432; then
  pg_ctlcluster --skip-systemctl-redirect "$(ls /etc/postgresql | tail -n 1)" main start
fi
if ! listens 4222; then
  start-stop-daemon --start --oknodo --background --exec "$(command -v nats-server)" -- -a 127.0.0.1 -p 4222
fi
for port in 5432 4222; do
  for _ in $(seq 1 50); do listens "$port" && break; sleep 0.2; done
  listens "$port" || { echo "nothing listens on port $port"; exit 1; }
done

# A role of our own where the server does not trust its superuser over TCP.
if ! psql -h 127.0.0.1 -U postgres -w -qtc 'SELECT 1' >/dev/null 2>&1; then
  su postgres -c "psql -qc \"DO \\\$\\\$ BEGIN CREATE ROLE deskhub_ci SUPERUSER LOGIN PASSWORD 'deskhub_ci'; EXCEPTION WHEN duplicate_object THEN NULL; END \\\$\\\$\""
  export DESKHUB_TEST_POSTGRES="postgresql://deskhub_ci:deskhub_ci@127.0.0.1:5432/postgres"
fi
