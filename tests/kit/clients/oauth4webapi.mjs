// npm oauth4webapi by itself, from the gate's URL alone: resource metadata, server metadata, registration, the code flow with
// DPoP, and, as an independent resource server, its own check of the access token. `RESOURCE CALLBACK`.

import { need } from "./steps.mjs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const o = await import(pathToFileURL(need.resolve("oauth4webapi")).href);
const [resource, callback] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");
const plain = { [o.allowInsecureRequests]: true };

const url = new URL(resource);
const found = await o.processResourceDiscoveryResponse(url, await o.resourceDiscoveryRequest(url, plain));
const issuer = new URL(found.authorization_servers[0]);
const as = await o.processDiscoveryResponse(issuer, await o.discoveryRequest(issuer, { algorithm: "oauth2", ...plain }));
const client = await o.processDynamicClientRegistrationResponse(
  await o.dynamicClientRegistrationRequest(
    as,
    { client_name: "oauth4webapi", redirect_uris: [callback], token_endpoint_auth_method: "none" },
    plain,
  ),
);
const auth = o.None();
const verifier = o.generateRandomCodeVerifier();
const state = o.generateRandomState();
const where = new URL(as.authorization_endpoint);
for (const [name, value] of Object.entries({
  client_id: client.client_id,
  redirect_uri: callback,
  response_type: "code",
  code_challenge: await o.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  resource,
}))
  where.searchParams.set(name, value);
say({ open: where.href });
const back = new URL((await lines.next()).value);
const params = o.validateAuthResponse(as, client, back, state);
const DPoP = o.DPoP(client, await o.generateKeyPair("ES256"));
const asked = { DPoP, additionalParameters: { resource }, ...plain };
const tokens = await o.processAuthorizationCodeResponse(
  as,
  client,
  await o.authorizationCodeGrantRequest(as, client, auth, params, callback, verifier, asked),
);
const renewed = await o.processRefreshTokenResponse(
  as,
  client,
  await o.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, asked),
);
let unbound = "";
try {
  await o.processRefreshTokenResponse(
    as,
    client,
    await o.refreshTokenGrantRequest(as, client, auth, renewed.refresh_token, plain),
  );
} catch (fault) {
  unbound = fault.error;
}
let seen;
await o
  .protectedResourceRequest(renewed.access_token, "POST", url, new Headers(), null, {
    DPoP,
    [o.customFetch]: async (place, init) => {
      seen = new Request(place, init);
      return new Response(null, { status: 204 });
    },
    ...plain,
  });
const claims = await o.validateJwtAccessToken(as, seen, resource, { requireDPoP: true, ...plain });
say({ tokens, renewed, unbound, claims, registered: client });
process.exit(0);
