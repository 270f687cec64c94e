// The official TypeScript SDK 1.x, in the 2025-11-25 era, with nothing but a gate's URL: it registers, has a person consent, and calls.
// `URL CALLBACK`. It prints where to send the person, is given back where they came out, and prints what it could do.

import { need } from "./steps.mjs";
import { createInterface } from "node:readline";

const { Client } = need("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = need("@modelcontextprotocol/sdk/client/streamableHttp.js");
const [url, callback] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");

const kept = {};
const authProvider = {
  redirectUrl: callback,
  clientMetadata: { client_name: "TypeScript SDK", redirect_uris: [callback], token_endpoint_auth_method: "none" },
  clientInformation: () => kept.client,
  saveClientInformation: (client) => void (kept.client = client),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => void (kept.tokens = tokens),
  redirectToAuthorization: (where) => say({ open: where.href }),
  saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
  codeVerifier: () => kept.verifier,
  saveDiscoveryState: (state) => void (kept.discovery = state),
  discoveryState: () => kept.discovery,
};

const opened = () => new StreamableHTTPClientTransport(new URL(url), { authProvider });
const fresh = () => new Client({ name: "ts", version: "1.0.0" });

const first = opened();
try {
  await fresh().connect(first);
} catch (fault) {
  const back = new URL((await lines.next()).value);
  await first.finishAuth(back.searchParams.get("code"));
}
const client = fresh();
await client.connect(opened());
const tools = (await client.listTools()).tools.map((tool) => tool.name);
const result = await client.callTool({ name: "echo", arguments: { text: "hello" } });
say({
  tools,
  text: result.content[0].text,
  scope: kept.tokens.scope,
  refresh: Boolean(kept.tokens.refresh_token),
});
await client.close();
process.exit(0);
