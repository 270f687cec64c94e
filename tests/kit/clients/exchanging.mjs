// Token exchange (RFC 8693) and identity assertions (ID-JAG) for oidc-provider, by the grants that it lets its users
// add: `exchanging` puts them into a provider, `asserted` makes a second authorization server that takes its assertions.
const home = `${process.env.PEER_PREFIX}/node_modules`;
const { default: Provider, errors } = await import(`${home}/oidc-provider/lib/index.js`);
const { SignJWT, createRemoteJWKSet, jwtVerify } = await import(`${home}/jose/dist/webapi/index.js`);
import http from 'node:http';
import { randomUUID } from 'node:crypto';

const TYPE = 'urn:ietf:params:oauth:token-type:';
const NAMES = ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'resource', 'scope'];

export function exchanging(provider, key, most, client_there) {
  const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`));
  async function subject(kind, text, client) {
    if (kind === 'id_token') {
      const { payload } = await jwtVerify(text, keys, { issuer: provider.issuer, audience: client.clientId });
      return { accountId: payload.sub, scope: most };
    }
    const found = await provider[kind === 'refresh_token' ? 'RefreshToken' : 'AccessToken'].find(text);
    if (!found || found.clientId !== client.clientId || found.consumed) throw new errors.InvalidGrant('no such subject');
    return found;
  }
  provider.registerGrantType('urn:ietf:params:oauth:grant-type:token-exchange', async (ctx) => {
    const { client, params } = ctx.oidc;
    const kind = String(params.subject_token_type).replace(TYPE, '');
    let of;
    try { of = await subject(kind, params.subject_token, client); } catch { throw new errors.InvalidGrant('no subject'); }
    const held = new Set(of.scope.split(' '));
    const wanted = (params.scope ?? of.scope).split(' ');
    if (!wanted.every((one) => held.has(one))) throw new errors.InvalidScope('more than the subject', params.scope);
    const scope = wanted.join(' ');
    if (params.requested_token_type === `${TYPE}id-jag`) {
      const made = new SignJWT({ client_id: client_there(), scope, resource: params.resource })
        .setProtectedHeader({ alg: 'ES256', kid: 'one', typ: 'oauth-id-jag+jwt' }).setIssuer(provider.issuer)
        .setSubject(of.accountId).setAudience(params.audience).setJti(randomUUID()).setIssuedAt().setExpirationTime('5m');
      ctx.body = { access_token: await made.sign(key), issued_token_type: `${TYPE}id-jag`, token_type: 'N_A', expires_in: 300 };
      return;
    }
    const grant = new provider.Grant({ accountId: of.accountId, clientId: client.clientId });
    grant.addOIDCScope(scope);
    const token = new provider.AccessToken({ accountId: of.accountId, client, grantId: await grant.save(), gty: 'exchange', scope });
    ctx.body = {
      access_token: await token.save(), issued_token_type: `${TYPE}access_token`, token_type: 'Bearer',
      expires_in: token.expiration, scope,
    };
  }, NAMES, []);
}

export async function asserted(trusted, most) {
  const server = http.createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const bearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
  const there = new Provider(issuer, {
    clients: [{ client_id: 'remit-there', client_secret: 'secret-at-the-target', grant_types: [bearer], redirect_uris: [], response_types: [] }],
    scopes: most.split(' '),
    features: {
      introspection: { enabled: true, allowedPolicy: () => true }, revocation: { enabled: true },
      devInteractions: { enabled: false },
    },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    ttl: { AccessToken: 600, Grant: 86400 },
  });
  const keys = createRemoteJWKSet(new URL(`${trusted}/jwks`));
  const seen = new Set();
  there.registerGrantType(bearer, async (ctx) => {
    const { client, params } = ctx.oidc;
    let said;
    try {
      said = (await jwtVerify(params.assertion, keys, { issuer: trusted, audience: issuer, typ: 'oauth-id-jag+jwt' })).payload;
    } catch { throw new errors.InvalidGrant('no such assertion'); }
    if (said.client_id !== client.clientId || seen.has(said.jti)) throw new errors.InvalidGrant('not for this client, or used');
    seen.add(said.jti);
    const held = new Set(said.scope.split(' '));
    const wanted = (params.scope ?? said.scope).split(' ');
    if (!wanted.every((one) => held.has(one))) throw new errors.InvalidScope('more than asserted', params.scope);
    const grant = new there.Grant({ accountId: said.sub, clientId: client.clientId });
    grant.addOIDCScope(wanted.join(' '));
    const token = new there.AccessToken({
      accountId: said.sub, client, grantId: await grant.save(), gty: 'assertion', scope: wanted.join(' '),
    });
    ctx.body = { access_token: await token.save(), token_type: 'Bearer', expires_in: token.expiration, scope: token.scope };
  }, ['assertion', 'scope', 'resource'], []);
  server.on('request', there.callback());
  return issuer;
}
