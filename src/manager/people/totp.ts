import { Secret, TOTP } from 'otpauth'

const ISSUER = 'Fairlead'
/** What every authenticator knows. */
const FORM = { issuer: ISSUER, algorithm: 'SHA1', digits: 6, period: 30 } as const
/** Clocks of telephones differ, and people type slowly. */
const NEIGHBOURS = 1

export interface NewTotp {
  /** Base32, as authenticators take it typed in. */
  readonly secret: string
  /** What the picture (QR code) for an authenticator says. */
  readonly uri: string
}

export function newTotp(account: string): NewTotp {
  const totp = new TOTP({ ...FORM, label: account, secret: new Secret({ size: 20 }) })
  return { secret: totp.secret.base32, uri: totp.toString() }
}

/** The time step whose code this is, after the last one that was used; undefined where it is no present one's. */
export function totpStep(
  secret: string,
  code: string,
  { now, after }: { readonly now: number; readonly after: number },
): number | undefined {
  if (!/^\d{6}$/.test(code)) {
    return undefined
  }
  const totp = new TOTP({ ...FORM, secret: Secret.fromBase32(secret) })
  const delta = totp.validate({ token: code, timestamp: now, window: NEIGHBOURS })
  const step = Math.floor(now / (FORM.period * 1000)) + (delta ?? 0)
  return delta !== null && step > after ? step : undefined
}
