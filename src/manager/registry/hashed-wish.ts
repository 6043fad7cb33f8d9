import type { RegistryWish } from '#contract/rest/registry.ts'

/** Of a password that somebody chose; one that the command line made comes with a cheaper hash. */
const COST = 10

/** With the hash of the password that it has: forms have none. Loaded when it is needed, which is once in a while. */
export async function hashedWish(wish: RegistryWish): Promise<RegistryWish> {
  if (wish.password === undefined || wish.password_hash !== undefined) {
    return wish
  }
  const { hash } = await import('bcryptjs')
  return { ...wish, password_hash: await hash(wish.password, COST) }
}
