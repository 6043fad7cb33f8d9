import { deepEqual, equal, match, notEqual } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { Secret, TOTP } from 'otpauth'
import { newId } from '#lib/id.ts'
import { testServer } from '#manager/api/test-server.ts'
import { hashPassword } from '#manager/people/passwords.ts'
import { factorPlace } from '#manager/people/second-factor.ts'
import { temporaryFolder } from './world/temporary-folder.ts'

const PROGRAM = join(import.meta.dirname, '../bin/fairlead')
const PASSWORD = 'correct horse battery'
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

test('A14 login with password and second factor leaves a token that only its owner can read, and logout ends it', async () => {
  await using world = new AsyncDisposableStack()
  const folder = await temporaryFolder(world)
  const manager = await testServer()
  world.defer(() => manager.close())
  const url = await manager.server.listen({ port: 0, host: '127.0.0.1' })
  const { db, sealer, clock } = manager.parts
  const id = newId()
  const person = { id, name: 'Ada', email: 'ada@example.org', role: 'deployer', created_at: 1 } as const
  const factor = { totp_sealed: sealer.seal(SECRET, factorPlace(id)), totp_at: 1 }
  const password = await hashPassword(PASSWORD)
  await db
    .insertInto('people')
    .values({ ...person, ...factor, password })
    .execute()

  const fairlead = async (words: string[], input = '') => {
    const env = { PATH: process.env.PATH, FAIRLEAD_DATA: folder, FAIRLEAD_MANAGER: url }
    const child = spawn(PROGRAM, words, { env, cwd: folder, stdio: 'pipe' })
    child.stdin.end(input)
    const [[code], out, err] = await Promise.all([
      once(child, 'close'),
      text(child.stdout),
      text(child.stderr),
    ])
    return { code: code as number | null, out, all: out + err }
  }

  const wrong = await fairlead(['login', '--email', person.email], `${PASSWORD}\n000\n`)
  notEqual(wrong.code, 0, wrong.all)
  match(wrong.all, /This code is not valid/)
  const totp = new TOTP({ secret: Secret.fromBase32(SECRET) })
  // Of the next half minute, which holds already: the program may take a while to start.
  const code = totp.generate({ timestamp: clock.now() + 30_000 })
  const login = await fairlead(['login', '--email', person.email], `${PASSWORD}\n${code}\n`)
  equal(login.code, 0, login.all)
  equal(/flt_/.test(login.all), false)
  const [name = ''] = await readdir(join(folder, 'logins'))
  const file = join(folder, 'logins', name)
  equal((await stat(file)).mode & 0o777, 0o600)
  const me = JSON.parse((await fairlead(['whoami', '--json'])).out)
  deepEqual([me.kind, me.email, me.role], ['person', person.email, 'deployer'])
  // Neither session of the two logins stays.
  const waiting = await db.selectFrom('sessions').selectAll().where('awaits_factor', '=', 0).execute()
  deepEqual(waiting, [])

  const [token = ''] = (await readFile(file, 'utf8')).split('\n')
  equal((await fairlead(['logout'])).code, 0)
  deepEqual(await readdir(join(folder, 'logins')), [])
  const headers = { authorization: `Bearer ${token}` }
  equal((await manager.server.inject({ url: '/api/v1/me', headers })).statusCode, 401)
  notEqual((await fairlead(['logout'])).code, 0)
})
