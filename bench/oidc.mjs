// npm oidc-provider with one client, for client credentials by private_key_jwt: `node oidc.mjs ISSUER JWK`.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { generateKeyPairSync } from "node:crypto";

const [issuer, jwk] = process.argv.slice(2);
const require = createRequire(`${process.env.PEER_PREFIX}/node_modules/`);
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")).href);
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "bench",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: "ES256",
      id_token_signed_response_alg: "ES256",
      jwks: { keys: [JSON.parse(jwk)] },
    },
  ],
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig", kid: "own" }] },
  clientAuthMethods: ["private_key_jwt"],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: "",
        audience: "urn:bench",
        accessTokenFormat: "jwt",
        accessTokenTTL: 300,
        jwt: { sign: { alg: "ES256" } },
      }),
    },
  },
});
const place = new URL(issuer);
provider.listen(Number(place.port), place.hostname, () => console.log("ready"));
