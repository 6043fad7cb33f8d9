import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Environment of a docker CLI that knows this login of one registry; no login of the person who runs the tests. */
export async function dockerWithLogin(
  folder: string,
  login: { address: string; username: string; password: string },
): Promise<Readonly<Record<string, string>>> {
  await mkdir(folder, { recursive: true })
  const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64')
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [login.address]: { auth } } }))
  return { DOCKER_CONFIG: folder }
}
