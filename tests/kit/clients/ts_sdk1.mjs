// The official TypeScript SDK 1.x as a client, in the 2025-11-25 era.

import { need, run } from "./steps.mjs";

const { Client } = need("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = need("@modelcontextprotocol/sdk/client/streamableHttp.js");

let transport;

await run(
  async (url, token) => {
    const client = new Client({ name: "ts-sdk1", version: "1.0.0" });
    transport = new StreamableHTTPClientTransport(new URL(url), {
      requestInit: { headers: { Authorization: `Bearer ${token}` } },
    });
    await client.connect(transport);
    return client;
  },
  () => transport.protocolVersion,
);
