// The yardstick Node with ws: a message to the agent and back, acknowledged, not stored.
const { WebSocketServer } = require("ws");
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
let agent = null;
let seq = 0;
server.on("connection", (socket, request) => {
  if (request.url === "/agent") {
    agent = socket;
    return;
  }
  socket.on("message", (raw) => {
    const frame = JSON.parse(raw);
    seq += 1;
    const event = JSON.stringify({
      seq, at: new Date().toISOString(), kind: "message.posted",
      conversation: frame.conversation, by: "visitor:v_1",
      data: { kind: "text", text: frame.body.text, cid: frame.cid },
    });
    const events = `{"t":"events","from":"e:${seq - 1}","to":"e:${seq}","events":[${event}]}`;
    agent.send(events);
    socket.send(events);
    socket.send(JSON.stringify({ t: "result", id: frame.id, ok: true, seq, dup: false }));
  });
});
server.on("listening", () => console.log(JSON.stringify({ port: server.address().port })));
process.on("SIGTERM", () => process.exit(0));
