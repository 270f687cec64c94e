// A company's identity provider: npm oidc-provider. `idp.mjs REDIRECT SECRET [KEYS [lean]]` prints its issuer, and
// serves until ended; with KEYS, a JWK set, its client proves a key instead. A lean ID token says who it is, and no more:
// the rest is at userinfo, as the specification has it.
// Whoever signs in as NAME is NAME, in the group "staff"; "guest-…" is in none.

import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import { pathToFileURL } from "node:url";

const { default: Provider } = await import(
  pathToFileURL(`${process.env.PEER_PREFIX}/node_modules/oidc-provider/lib/index.js`).href
);
const [redirect, secret, keys, lean] = process.argv.slice(2);
const jwk = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
const server = createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "remit",
      ...(keys
        ? { token_endpoint_auth_method: "private_key_jwt", token_endpoint_auth_signing_alg: "ES256", jwks: JSON.parse(keys) }
        : { client_secret: secret }),
      redirect_uris: [redirect],
      grant_types: ["authorization_code"],
      response_types: ["code"],
      id_token_signed_response_alg: "ES256",
      require_auth_time: true,
    },
  ],
  jwks: { keys: [{ ...jwk, alg: "ES256", use: "sig", kid: "one" }] },
  cookies: { keys: ["a key of these tests only"] },
  claims: { openid: ["sub"], profile: ["name", "groups"] },
  conformIdTokenClaims: lean === "lean",
  pkce: { required: () => true },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: `${id} of the company`, groups: id.startsWith("guest") ? [] : ["staff"] }),
  }),
});
server.on("request", provider.callback());
process.stdout.write(`${issuer}\n`);
