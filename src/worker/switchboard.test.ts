import { deepEqual, equal, notEqual, ok, rejects } from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '#lib/clock.ts'
import { type OpenSwitchboard, openSwitchboard } from './switchboard.ts'
import {
  SUBNET_FULL,
  SUBNET_UNUSABLE,
  SWITCHBOARD_PORT_TAKEN,
  SWITCHBOARD_UNREADABLE,
} from './switchboard-errors.ts'
import { dnsQuestion, readDnsAnswer } from './test-dns-question.ts'

const SUBNET = '172.30.5.0/24'

describe('the switchboard', () => {
  test('gives each name two fixed addresses outside of what the engine uses', async t => {
    const { board } = await opened(t)
    deepEqual(await board.slots('shop'), ['172.30.5.16', '172.30.5.17'])
    deepEqual(await board.slots('web.shop'), ['172.30.5.18', '172.30.5.19'])
    deepEqual(await board.slots('shop'), ['172.30.5.16', '172.30.5.17'])
  })

  test('gives a name the same two addresses when it is asked for them twice at once', async t => {
    const { board } = await opened(t)
    const [one, other] = await Promise.all([board.slots('shop'), board.slots('shop')])
    deepEqual(one, other)
  })

  test('gives every address at most once, also to names that ask at the same time, until none is left', async t => {
    const { board } = await opened(t)
    const names = Array.from({ length: 119 }, (_, number) => `app-${number}`)
    const given = (await Promise.all(names.map(name => board.slots(name)))).flat()
    equal(new Set(given).size, 238)
    ok(!given.includes('172.30.5.255') && !given.includes('172.30.5.15'))
    await rejects(board.slots('one-more'), SUBNET_FULL.matches)
    await board.forget('app-7')
    ok((await board.slots('one-more')).includes('172.30.5.30'))
  })

  test('takes an address that was given back as late as possible', async t => {
    const { board } = await opened(t)
    const first = await board.slots('shop')
    await board.forget('shop')
    notEqual((await board.slots('shop'))[0], first[0])
  })

  test('knows after a restart what it knew before', async t => {
    const { board, folder } = await opened(t)
    const slots = await board.slots('shop')
    await board.point('shop', { ip: slots[1], deployment: 'd1' })
    await board.point('blog', { ip: '172.30.5.99', deployment: 'd2' })
    await board.forget('blog')
    const onDisk = await readFile(join(folder, 'switchboard.json'), 'utf8')
    await board.close()
    await writeFile(join(folder, 'switchboard.json.new'), 'torn write of a run that was killed')

    const again = await reopened(t, folder)
    deepEqual(again.current('shop'), { ip: slots[1], deployment: 'd1' })
    equal(again.current('blog'), undefined)
    deepEqual(await again.slots('shop'), slots)
    equal(await readFile(join(folder, 'switchboard.json'), 'utf8'), onDisk)
  })

  test('has on the disk what it answers', async t => {
    const { board, folder } = await opened(t)
    for (let number = 0; number < 20; number++) {
      await board.point('shop', { ip: `172.30.5.${100 + number}`, deployment: `d${number}` })
      const saved = JSON.parse(await readFile(join(folder, 'switchboard.json'), 'utf8'))
      equal(saved.names.shop.target.deployment, `d${number}`)
    }
  })

  test('gives new slots when the subnet of the host changed', async t => {
    const { board, folder } = await opened(t)
    await board.slots('shop')
    await board.close()
    const moved = await openSwitchboard({
      folder,
      listen: '127.0.0.1:0',
      subnet: '10.9.0.0/16',
      clock: systemClock,
    })
    t.after(moved.close)
    deepEqual(await moved.slots('shop'), ['10.9.0.16', '10.9.0.17'])
  })

  test('refuses what is no address, and goes on', async t => {
    const { board } = await opened(t)
    await rejects(board.point('shop', { ip: '::1', deployment: 'd1' }), { code: 'BAD_INPUT' })
    equal(board.current('shop'), undefined)
    equal(board.current('constructor'), undefined)
    await board.point('shop', { ip: '172.30.5.20', deployment: 'd2' })
    deepEqual(board.current('shop'), { ip: '172.30.5.20', deployment: 'd2' })
  })

  for (const text of [
    '',
    '{',
    '{"version":2,"next":0,"names":{}}',
    '{"version":1,"next":0,"names":{"a":{"slots":["x","y"]}}}',
  ]) {
    test(`does not start on a damaged record: ${text}`, async t => {
      const folder = await temporaryFolder(t)
      await writeFile(join(folder, 'switchboard.json'), text)
      const opening = openSwitchboard({ folder, listen: '127.0.0.1:0', subnet: SUBNET, clock: systemClock })
      await rejects(opening, SWITCHBOARD_UNREADABLE.matches)
    })
  }

  for (const subnet of [
    '',
    '10.0.0.0',
    '10.0.0.0/7',
    '10.0.0.0/27',
    '10.0.0/16',
    'fd00::/64',
    '10.0.0.0/x',
  ]) {
    test(`does not start in the subnet "${subnet}"`, async t => {
      const folder = await temporaryFolder(t)
      const opening = openSwitchboard({ folder, listen: '127.0.0.1:0', subnet, clock: systemClock })
      await rejects(opening, SUBNET_UNUSABLE.matches)
    })
  }

  test('says so when somebody else has its port', async t => {
    const { board } = await opened(t)
    const folder = await temporaryFolder(t)
    const second = openSwitchboard({ folder, listen: board.resolver, subnet: SUBNET, clock: systemClock })
    await rejects(second, SWITCHBOARD_PORT_TAKEN.matches)
  })

  for (const transport of ['TCP', 'UDP'] as const) {
    test(`answers questions over ${transport} with the target of the moment`, async t => {
      const { board } = await opened(t)
      const ask = transport === 'TCP' ? askOverTcp : askOverUdp
      equal(readDnsAnswer(await ask(board, dnsQuestion('shop.fairlead')))?.code, 3)
      for (const ip of ['172.30.5.20', '172.30.5.21']) {
        await board.point('shop', { ip, deployment: 'd' })
        deepEqual(readDnsAnswer(await ask(board, dnsQuestion('shop.fairlead')))?.addresses, [ip])
      }
      await board.forget('shop')
      equal(readDnsAnswer(await ask(board, dnsQuestion('shop.fairlead')))?.code, 3)
    })
  }

  test('still answers after garbage over UDP and TCP', async t => {
    const { board } = await opened(t)
    await board.point('shop', { ip: '172.30.5.20', deployment: 'd' })
    const [host, port] = board.resolver.split(':')
    const socket = createSocket('udp4')
    t.after(() => socket.close())
    for (const packet of fc.sample(fc.uint8Array({ minLength: 1, maxLength: 1_400 }), 300)) {
      socket.send(packet, Number(port), host)
    }
    for (const bytes of fc.sample(fc.uint8Array({ minLength: 1, maxLength: 6_000 }), 50)) {
      const connection = connect(Number(port), host).on('error', () => {})
      const closed = Promise.withResolvers<void>()
      connection.once('close', () => closed.resolve())
      connection.end(bytes)
      connection.resume()
      await closed.promise
    }
    deepEqual(readDnsAnswer(await askOverUdp(board, dnsQuestion('shop.fairlead')))?.addresses, [
      '172.30.5.20',
    ])
    deepEqual(readDnsAnswer(await askOverTcp(board, dnsQuestion('shop.fairlead')))?.addresses, [
      '172.30.5.20',
    ])
  })

  test('answers a question that arrives byte by byte, and two that arrive at once', async t => {
    const { board } = await opened(t)
    await board.point('shop', { ip: '172.30.5.20', deployment: 'd' })
    const [host, port] = board.resolver.split(':')
    const connection = connect(Number(port), host)
    const framed = withLength(dnsQuestion('shop.fairlead'))
    for (const byte of framed.subarray(0, 6)) {
      connection.write(Buffer.from([byte]))
      await systemClock.sleep(1)
    }
    connection.write(Buffer.concat([framed.subarray(6), framed]))
    let answers = Buffer.alloc(0)
    while (answers.length < 2 * (framed.length + 16)) {
      const [chunk] = await once(connection, 'data')
      answers = Buffer.concat([answers, chunk])
    }
    connection.destroy()
    equal(answers.length, 2 * (framed.length + 16))
  })
})

async function opened(t: TestContext): Promise<{ board: OpenSwitchboard; folder: string }> {
  const folder = await temporaryFolder(t)
  return { board: await reopened(t, folder), folder }
}

async function reopened(t: TestContext, folder: string): Promise<OpenSwitchboard> {
  const board = await openSwitchboard({ folder, listen: '127.0.0.1:0', subnet: SUBNET, clock: systemClock })
  t.after(board.close)
  return board
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-switchboard-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function askOverUdp(board: OpenSwitchboard, question: Buffer): Promise<Buffer> {
  const [host, port] = board.resolver.split(':')
  const socket = createSocket('udp4')
  socket.send(question, Number(port), host)
  const [answer] = await once(socket, 'message')
  socket.close()
  return answer
}

async function askOverTcp(board: OpenSwitchboard, question: Buffer): Promise<Buffer> {
  const [host, port] = board.resolver.split(':')
  const connection = connect(Number(port), host)
  connection.write(withLength(question))
  const [framed] = await once(connection, 'data')
  connection.destroy()
  return framed.subarray(2)
}

function withLength(question: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(question.length, 0)
  return Buffer.concat([length, question])
}
