import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number }, Buffer>(scrypt)

/** 16 MB and a fraction of a second for each guess; the least that OWASP recommends with so little memory. */
const COST = { N: 16_384, r: 8, p: 5 }
const KEY_BYTES = 32
const SALT_BYTES = 16
/** So many at once: the manager's memory is small, and the rest of its work goes on beside. */
const AT_ONCE = 2

const FORM = /^scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9_-]+)\$([A-Za-z0-9_-]+)$/

let running = 0
const waiting: (() => void)[] = []

/** What is kept of a password: it can be checked with it and not found out. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const key = await inTurn(() => derive(password.normalize('NFKC'), salt, KEY_BYTES, COST))
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join('$')
}

/** Takes as long when there is nothing to compare with: time does not tell who has an account. */
export async function isPassword(password: string, kept: string | null): Promise<boolean> {
  const [, n, r, p, salt = '', key = ''] = FORM.exec(kept ?? '') ?? []
  const cost = key === '' ? COST : { N: Number(n), r: Number(r), p: Number(p) }
  const expected = key === '' ? Buffer.alloc(KEY_BYTES) : Buffer.from(key, 'base64url')
  const given = await inTurn(() =>
    derive(password.normalize('NFKC'), Buffer.from(salt, 'base64url'), expected.length, cost),
  )
  return timingSafeEqual(given, expected) && key !== ''
}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) {
    await new Promise<void>(resolve => waiting.push(resolve))
  } else {
    running += 1
  }
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next) {
      next()
    } else {
      running -= 1
    }
  }
}
