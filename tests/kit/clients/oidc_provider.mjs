// A certified OpenID provider with two people who have agreed to let one client act for them: their refresh tokens
// stand in its first line, as JSON. It ends when its input ends; a line of it says which client it asserts people to
// from then on. By a browser, whoever its cookie `who` names is signed in there and agrees at once; where it names
// nobody, the person says no. The second argument is where it leads back to. `there` is a second server, which takes
// its assertions.
const { default: Provider } = await import(`${process.env.PEER_PREFIX}/node_modules/oidc-provider/lib/index.js`);
import http from 'node:http';
import { exchanging, asserted } from './exchanging.mjs';
const { exportJWK, generateKeyPair } = await import(`${process.env.PEER_PREFIX}/node_modules/jose/dist/webapi/index.js`);

let clientThere = 'remit-there';
const server = http.createServer();
server.listen(0, '127.0.0.1', async () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'remit', client_secret: 'client-secret-of-the-test', 
      grant_types: ['authorization_code', 'refresh_token', exchange], id_token_signed_response_alg: 'ES256',
      redirect_uris: [process.argv[3] ?? 'http://127.0.0.1/cb'],
    }],
    scopes: ['openid', 'offline_access', 'notes.read', 'notes.write', 'notes.wipe', 'mcp:notes/read_note'],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', kid: 'one', use: 'sig' }] },
    cookies: { keys: ['a'] },
    features: {
      introspection: { enabled: true, allowedPolicy: () => true }, revocation: { enabled: true },
      devInteractions: { enabled: false },
    },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    revokeGrantPolicy: (ctx) => ctx.oidc.route !== 'revocation',
    rotateRefreshToken: process.argv[2] === 'rotate',
    ttl: { AccessToken: 600, RefreshToken: 86400, Grant: 86400 },
  });
  // As it comes, the revocation of one access token ends every token of its grant (RFC 7009 leaves that open).
  if (process.argv[2] !== 'cascade') {
    const kinds = [provider.AccessToken, provider.RefreshToken, provider.AuthorizationCode];
    for (const kind of kinds) kind.revokeByGrantId = async () => {};
  }
  exchanging(provider, privateKey, 'notes.read notes.write', () => clientThere);
  const there = await asserted(issuer, 'notes.read notes.write');
  const handle = provider.callback();
  server.on('request', async (req, res) => {
    if (!req.url.startsWith('/interaction/')) return handle(req, res);
    const { prompt, params, session } = await provider.interactionDetails(req, res);
    const who = /who=([a-z]+)/.exec(req.headers.cookie ?? '')?.[1];
    if (!who) return provider.interactionFinished(req, res, { error: 'access_denied' });
    if (prompt.name === 'login') return provider.interactionFinished(req, res, { login: { accountId: who } });
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } });
  });
  const scope = 'openid offline_access notes.read notes.write mcp:notes/read_note';
  const people = {};
  const client = await provider.Client.find('remit');
  for (const accountId of ['ann', 'bob']) {
    const grant = new provider.Grant({ accountId, clientId: 'remit' });
    grant.addOIDCScope(scope);
    const grantId = await grant.save();
    const token = new provider.RefreshToken({ accountId, client, grantId, scope, gty: 'authorization_code', rotations: 0 });
    people[accountId] = await token.save();
  }
  process.stdout.write(`${JSON.stringify({ issuer, people, there })}\n`);
});
process.stdin.on('data', (line) => { clientThere = String(line).trim(); }).on('end', () => process.exit(0));
