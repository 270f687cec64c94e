// An API by undici and ws, unchanged: through a proxy (where `token` is empty), or at a gate's own address. Prints JSON.
import { createRequire } from "node:module";

const require = createRequire(`${process.env.PEER_PREFIX}/node_modules/`);
const undici = require("undici");
const WebSocket = require("ws");
const { HttpsProxyAgent } = await import(require.resolve("https-proxy-agent"));
const [base, token] = process.argv.slice(2);
const proxy = token ? undefined : process.env.HTTPS_PROXY;
const dispatcher = proxy ? new undici.EnvHttpProxyAgent() : new undici.Agent({ connections: 4, pipelining: 4 });
const headers = token ? { authorization: `Bearer ${token}` } : {};

async function ask(path, more = {}) {
  const { statusCode, body } = await undici.request(`${base}${path}`, {
    dispatcher, ...more, headers: { ...headers, ...more.headers },
  });
  await body.text();
  return statusCode;
}

// A body of unknown length goes out chunked.
async function* parts() {
  yield '{"order":"o-1",';
  yield '"amount":5}';
}

const json = { "content-type": "application/json" };
const told = {
  read: await ask("/orders/o-1"),
  chunked: await ask("/refunds", { method: "POST", headers: json, body: parts() }),
  waited: await ask("/refunds", { method: "POST", headers: { ...json, expect: "100-continue" }, body: '{"order":"o-1"}' })
    .catch((fault) => fault.code),
  many: await Promise.all(Array.from({ length: 12 }, (_, n) => ask(`/orders/o-${n}`))),
  refused: await ask("/orders/x-1"),
};
const speak = (url, how) => new Promise((done) => {
  const heard = [];
  const socket = new WebSocket(url, how);
  socket.on("message", (data) => {
    heard.push(String(data));
    socket.send(heard.length === 1 ? "hello" : "bye");
  });
  socket.on("close", (code) => done([...heard, code]));
  socket.on("error", (fault) => heard.push(fault.message));
});
const at = base.replace(/^http/, "ws");
told.ws = await speak(`${at}/talk?room=r-1`, { headers, agent: proxy ? new HttpsProxyAgent(proxy) : undefined });
told.other = await speak(`${at}/talk?room=x-1`, { headers, agent: proxy ? new HttpsProxyAgent(proxy) : undefined });
console.log(JSON.stringify(told));
process.exit(0);
