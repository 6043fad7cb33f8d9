import { deepEqual, equal, rejects } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type BearerConfig, createBearer } from './bearer.ts'
import { readCliConfig } from './config.ts'
import { keepAddresses } from './own-token.ts'

const folder = mkdtempSync(join(tmpdir(), 'fairlead-bearer-'))
after(() => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'admin-token'), 'flt_file\n')

const idToken = { kind: 'given', token: 'a.b.c' } as const
const nothing: BearerConfig = {
  managerUrl: 'http://m',
  token: undefined,
  tokenFile: undefined,
  idToken: undefined,
}

/** Gives flt_1, flt_2 … for each exchange. */
function bearerOf(config: Partial<BearerConfig>) {
  const exchanged: string[] = []
  const bearer = createBearer({ ...nothing, ...config }, async body => {
    exchanged.push(body.subject_token)
    return `flt_${exchanged.length}`
  })
  return { ...bearer, exchanged }
}

test('a token that was set speaks, then one in a file, then what the ID token of the job is exchanged for', async () => {
  const tokenFile = join(folder, 'admin-token')
  equal(await bearerOf({ token: 'flt_set', tokenFile, idToken }).token(), 'flt_set')
  equal(await bearerOf({ tokenFile, idToken }).token(), 'flt_file')
  equal(await bearerOf({ tokenFile: join(folder, 'absent'), idToken }).token(), 'flt_1')
  await rejects(bearerOf({}).token(), { code: 'NO_TOKEN' })
})

test('a job with an ID token does not take the admin token of the machine that it runs on, unless it is named', () => {
  const environment = { FAIRLEAD_DATA: folder, FAIRLEAD_ID_TOKEN: 'a.b.c' }
  equal(readCliConfig({}, environment).tokenFile, undefined)
  equal(readCliConfig({ tokenFile: '/t' }, environment).tokenFile, '/t')
})

test('the token that "up" keeps is given to the manager that gave it and to no other, unless somebody names its file', async () => {
  const own = (managerUrl: string, changes: Partial<BearerConfig> = {}) =>
    bearerOf({ ...readCliConfig({ manager: managerUrl }, { FAIRLEAD_DATA: folder }), ...changes }).token()
  equal(await own('http://localhost:7500'), 'flt_file')
  await rejects(own('https://elsewhere.example.org'), { code: 'NO_TOKEN' })
  keepAddresses(join(folder, 'admin-token'), ['http://127.0.0.1:7400', 'https://fairlead.example.org/'])
  for (const url of ['http://127.0.0.1:7400/', 'http://localhost:7400', 'https://fairlead.example.org']) {
    equal(await own(url), 'flt_file')
  }
  for (const url of [
    'http://127.0.0.1:7500',
    'http://fairlead.example.org',
    'https://fairlead.example.org.evil.example',
    'https://fairlead.example.org@evil.example',
    'nonsense',
  ]) {
    await rejects(own(url), { code: 'NO_TOKEN' })
  }
  equal(await own('https://elsewhere.example.org', { token: 'flt_set' }), 'flt_set')
  const named = { manager: 'https://elsewhere.example.org', tokenFile: join(folder, 'admin-token') }
  equal(await bearerOf(readCliConfig(named, {})).token(), 'flt_file')
})

test('what GitHub hands out is asked for with the audience of the manager, or another one', () => {
  const job = { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://a/', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x' }
  const asked = { kind: 'github', url: 'https://a/', bearer: 'x' }
  deepEqual(readCliConfig({ manager: 'https://m/' }, job).idToken, { ...asked, audience: 'https://m' })
  const other = readCliConfig({ manager: 'https://m/' }, { ...job, FAIRLEAD_AUDIENCE: 'fairlead' })
  deepEqual(other.idToken, { ...asked, audience: 'fairlead' })
})

test('a token of a job that has ended is replaced once, by whoever finds out first', async () => {
  const bearer = bearerOf({ idToken })
  const [first, same] = await Promise.all([bearer.token(), bearer.token()])
  equal(first, same)
  deepEqual(await Promise.all([bearer.renewed('flt_1'), bearer.renewed('flt_1')]), ['flt_2', 'flt_2'])
  equal(await bearer.token(), 'flt_2')
  equal(await bearerOf({ token: 'flt_set', idToken }).renewed('flt_set'), undefined)
})

test('an exchange that failed is tried again at the next use', async () => {
  let fails = true
  const bearer = createBearer({ ...nothing, idToken }, async () => {
    if (fails) {
      throw new Error('down')
    }
    return 'flt_1'
  })
  await rejects(bearer.token(), /down/)
  fails = false
  equal(await bearer.token(), 'flt_1')
})
