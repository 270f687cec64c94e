// The official TypeScript client 2.x, in the 2026-07-28 era.

import { need, run } from "./steps.mjs";

const { Client, StreamableHTTPClientTransport } = need("@modelcontextprotocol/client");

await run(
  async (url, token) => {
    const client = new Client({ name: "ts-client2", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(url), {
        requestInit: { headers: { Authorization: `Bearer ${token}` } },
      }),
    );
    return client;
  },
  (client) => client.getNegotiatedProtocolVersion(),
);
