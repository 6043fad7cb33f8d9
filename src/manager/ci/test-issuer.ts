import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

/** An issuer of ID tokens on this machine, with real keys, as CI systems run one. */
export interface TestIssuer {
  readonly url: string
  /** How often it was asked for its keys. */
  readonly asked: () => number
  /** What it gives instead of its keys: a status, a text of any length, or no answer at all. */
  failWith(fault: { status?: number; text?: string; silent?: boolean; retryAfter?: number } | undefined): void
  /** What its metadata says otherwise than it is. */
  lie(metadata: { issuer?: string; jwks_uri?: string }): void
  /** From now on it signs with a new key, and no longer gives the old one. */
  rotate(): Promise<void>
  sign(claims?: Readonly<Record<string, unknown>>, options?: SignOptions): Promise<string>
  keys(): { keys: JWK[] }
  close(): Promise<void>
}

export interface SignOptions {
  readonly audience?: string | string[]
  readonly issuer?: string
  readonly expiresAt?: number
  readonly notBefore?: number
  readonly issuedAt?: number
}

/** What a job of GitHub Actions on the main branch says of itself. */
export const JOB = {
  sub: 'repo:acme/shop:ref:refs/heads/main',
  repository: 'acme/shop',
  repository_id: '74',
  ref: 'refs/heads/main',
  event_name: 'push',
}

export async function startTestIssuer(now: () => number = Date.now): Promise<TestIssuer> {
  let pair = await makePair('first')
  let fault: Parameters<TestIssuer['failWith']>[0]
  let lies: Parameters<TestIssuer['lie']>[0] = {}
  let asked = 0
  const server = createServer(({ url: path }, response) => {
    if (path === '/.well-known/openid-configuration') {
      json(response, { issuer: url, jwks_uri: `${url}/keys`, ...lies })
      return
    }
    asked += 1
    if (fault?.silent) {
      return
    }
    if (fault) {
      response.writeHead(
        fault.status ?? 200,
        fault.retryAfter ? { 'retry-after': String(fault.retryAfter) } : {},
      )
      response.end(fault.text ?? '')
      return
    }
    json(response, { keys: [pair.jwk] })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    asked: () => asked,
    failWith: next => {
      fault = next
    },
    lie: next => {
      lies = next
    },
    async rotate() {
      pair = await makePair(`${pair.jwk.kid}+`)
    },
    async sign(claims = JOB, options = {}) {
      const seconds = Math.floor(now() / 1_000)
      return await new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: pair.jwk.kid ?? '' })
        .setIssuer(options.issuer ?? url)
        .setAudience(options.audience ?? 'https://fairlead.example.org')
        .setIssuedAt(options.issuedAt ?? seconds)
        .setNotBefore(options.notBefore ?? seconds)
        .setExpirationTime(options.expiresAt ?? seconds + 300)
        .sign(pair.privateKey)
    },
    keys: () => ({ keys: [pair.jwk] }),
    async close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function makePair(kid: string): Promise<{ privateKey: CryptoKey; jwk: JWK }> {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' } }
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
