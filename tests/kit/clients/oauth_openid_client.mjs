// npm openid-client by itself: `ISSUER RESOURCE CLIENT_ID CALLBACK`. It prints where to send the person, is given back where they
// came out, and prints what it was granted: by code, by refresh, with PAR, and what is left after revocation.

import { need } from "./steps.mjs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const path = need.resolve("openid-client");
const oidc = await import(pathToFileURL(path).href);
const [issuer, resource, clientId, callback] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");

const config = await oidc.discovery(new URL(issuer), clientId, undefined, oidc.None(), {
  algorithm: "oauth2",
  execute: [oidc.allowInsecureRequests],
});

async function once(pushed) {
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const asked = {
    redirect_uri: callback,
    resource,
    state,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    authorization_details: JSON.stringify([{ type: "remit_task", purpose: "Shown by openid-client." }]),
  };
  const where = pushed
    ? await oidc.buildAuthorizationUrlWithPAR(config, asked)
    : oidc.buildAuthorizationUrl(config, asked);
  say({ open: where.href });
  const back = new URL((await lines.next()).value);
  return oidc.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state }, { resource });
}

const tokens = await once(false);
const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token, { resource });
const pushed = await once(true);
await oidc.tokenRevocation(config, renewed.refresh_token);
let refused = "";
try {
  await oidc.refreshTokenGrant(config, renewed.refresh_token);
} catch (fault) {
  refused = fault.error;
}
say({ tokens, renewed, pushed, refused });
process.exit(0);
