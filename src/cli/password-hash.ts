import { hash } from 'bcryptjs'

/**
 * bcrypt, the only form that an image registry reads. It checks the password at every request, so that a costlier hash
 * costs its time for each layer: what nobody can guess needs none.
 */
export async function passwordHash(password: string, kind: 'random' | 'chosen'): Promise<string> {
  return await hash(password, kind === 'random' ? 5 : 10)
}
