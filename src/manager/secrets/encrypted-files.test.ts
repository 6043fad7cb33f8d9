import assert from 'node:assert/strict'
import { test } from 'node:test'
import { armor, Encrypter } from 'age-encryption'
import { addApp, openTestStore } from '#manager/deployments/test-store.ts'
import { openFiles, type SecretFile } from './encrypted-files.ts'
import { recipientOf, renewRecipient } from './repository-keys.ts'
import { createSealer } from './seal.ts'

async function world() {
  const store = await openTestStore()
  const context = { ...store, sealer: createSealer(Buffer.alloc(32, 1)) }
  const repositoryOf = async (name: string) => {
    const app = await addApp(store, name)
    const row = await store.db
      .selectFrom('apps')
      .select('repository_id')
      .where('id', '=', app)
      .executeTakeFirst()
    return { id: row?.repository_id ?? '', name }
  }
  const [shop, fork] = [await repositoryOf('shop'), await repositoryOf('fork')]
  return { store, context, shop, fork }
}

async function encrypted(text: string | Uint8Array, ...recipients: string[]): Promise<Uint8Array> {
  const encrypter = new Encrypter()
  for (const recipient of recipients) {
    encrypter.addRecipient(recipient)
  }
  return await encrypter.encrypt(text)
}

type World = Awaited<ReturnType<typeof world>>

async function open(
  { context, shop }: World,
  files: readonly SecretFile[],
  contents: Readonly<Record<string, Uint8Array | string | null>>,
  repository = shop,
) {
  const inBase64 = Object.entries(contents).map(
    ([path, bytes]) => [path, bytes === null ? null : Buffer.from(bytes).toString('base64')] as const,
  )
  const given = { repository, commit: 'c'.repeat(40), contents: Object.fromEntries(inBase64) }
  return (await openFiles(context, files, given)).values
}

test('R03 a file is opened with the key of its repository, and nowhere else: a copy in a fork is refused', async t => {
  const here = await world()
  t.after(() => here.store.close())
  const { recipient } = await recipientOf(here.context, here.shop.id)
  const file = await encrypted('API_KEY=hunter2\n', recipient)
  assert.deepEqual(await open(here, ['a.age'], { 'a.age': file }), { API_KEY: 'hunter2' })
  for (const hasKey of [false, true]) {
    if (hasKey) {
      await recipientOf(here.context, here.fork.id)
    }
    await assert.rejects(open(here, ['a.age'], { 'a.age': file }, here.fork), error => {
      assert.ok(error instanceof Error && 'hint' in error)
      assert.match(error.message, /"a\.age" is not encrypted for the repository "fork"/)
      assert.match(String(error.hint), /fairlead secrets recipient fork/)
      return true
    })
  }
  const stored = await here.store.db.selectFrom('repository_keys').selectAll().execute()
  assert.doesNotMatch(JSON.stringify(stored), /AGE-SECRET-KEY/)
})

test('a new key takes the place of one, whose files stay readable; there are not any number of them', async t => {
  const here = await world()
  t.after(() => here.store.close())
  const { context, shop } = here
  const [first, same] = [await recipientOf(context, shop.id), await recipientOf(context, shop.id)]
  assert.equal(same.recipient, first.recipient)
  const second = await renewRecipient(context, shop.id)
  assert.deepEqual([(await recipientOf(context, shop.id)).recipient, second.earlier], [second.recipient, 1])
  for (const recipient of [first.recipient, second.recipient]) {
    assert.deepEqual(await open(here, ['a'], { a: await encrypted('A=1', recipient) }), { A: '1' })
  }
  await assert.rejects(
    async () => {
      for (let made = 0; made < 30; made += 1) {
        await renewRecipient(context, shop.id)
      }
    },
    { code: 'TOO_MANY_RECIPIENTS' },
  )
})

test('a file is one value as a whole, armoured or not; a later one goes before an earlier one', async t => {
  const here = await world()
  t.after(() => here.store.close())
  const { recipient } = await recipientOf(here.context, here.shop.id)
  const contents = {
    'tls.key.age': armor.encode(await encrypted('-----BEGIN KEY-----\nx\n', recipient)),
    'common.age': await encrypted('A=1\nB=1', recipient),
    'prod.age': await encrypted('B=2', recipient),
  }
  const files = ['common.age', 'prod.age', { file: 'tls.key.age', name: 'TLS_KEY' }]
  const wanted = { A: '1', B: '2', TLS_KEY: '-----BEGIN KEY-----\nx' }
  assert.deepEqual(await open(here, files, contents), wanted)
})

test('what is no file for it says which file and why, and nothing of what is in it', async t => {
  const here = await world()
  t.after(() => here.store.close())
  const { recipient } = await recipientOf(here.context, here.shop.id)
  const whole = await encrypted('A=hunter2', recipient)
  const bent = Buffer.from(whole)
  bent.writeUInt8(bent.readUInt8(bent.length - 1) ^ 1, bent.length - 1)
  const many = await encrypted('A=hunter2', ...Array.from({ length: 21 }, () => recipient))
  for (const [why, content] of [
    [/was changed after/, bent],
    [/was changed after/, whole.subarray(0, -4)],
    [/was changed after/, Buffer.from('age-encryption.org/v1\n-> nonsense\n')],
    [/no file of age/, 'A=hunter2'],
    [/no file of age/, '-----BEGIN AGE ENCRYPTED FILE-----\nhunter2'],
    [/no file of age/, ''],
    [/more than 40 KiB/, null],
    [/more than 20 recipients/, many],
    [/line 1 of what is encrypted is no NAME=value/, await encrypted('hunter2', recipient)],
    [/no UTF-8/, await encrypted(new Uint8Array([0x41, 0x3d, 0xff]), recipient)],
    [
      /more than 500 values/,
      await encrypted(Array.from({ length: 501 }, (_, n) => `A${n}=1`).join('\n'), recipient),
    ],
  ] as const) {
    await assert.rejects(open(here, ['prod.age'], { 'prod.age': content }), error => {
      assert.ok(error instanceof Error && 'code' in error)
      assert.equal(error.code, 'SECRET_FILE_DAMAGED')
      assert.match(error.message, why)
      assert.ok(error.message.includes(`"prod.age" (for ${recipient})`))
      assert.doesNotMatch(error.message + String(error.cause), /hunter2/)
      return true
    })
  }
  await assert.rejects(open(here, ['prod.age'], {}), { code: 'SECRET_FILE_MISSING' })
})
