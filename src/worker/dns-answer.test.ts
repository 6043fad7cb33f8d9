import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { answerQuery } from './dns-answer.ts'
import { dnsQuestion, readDnsAnswer } from './test-dns-question.ts'

const addresses: Readonly<Record<string, string>> = { shop: '172.30.0.16', 'web.shop': '172.30.0.18' }

function answer(packet: Uint8Array): Buffer | undefined {
  return answerQuery(packet, name => (Object.hasOwn(addresses, name) ? addresses[name] : undefined))
}

describe('the DNS answerer', () => {
  for (const [name, address] of [
    ['shop.fairlead', '172.30.0.16'],
    ['web.shop.fairlead', '172.30.0.18'],
    ['SHOP.FairLead', '172.30.0.16'],
  ] as const) {
    test(`knows ${name}`, () => {
      deepEqual(readDnsAnswer(answer(dnsQuestion(name))), { id: 4711, code: 0, addresses: [address], ttl: 0 })
    })
  }

  for (const name of [
    'nothing.fairlead',
    'shop',
    'fairlead',
    'shop.fairlead.example',
    'shop.xfairlead',
    'constructor.fairlead',
    '',
  ]) {
    test(`does not know ${JSON.stringify(name)}`, () => {
      equal(readDnsAnswer(answer(dnsQuestion(name)))?.code, 3)
    })
  }

  test('takes a dot inside a label for no border', () => {
    equal(readDnsAnswer(answer(dnsQuestion(['web.shop', 'fairlead'])))?.code, 3)
  })

  test('has no IPv6 address, and says so without denying the name', () => {
    deepEqual(readDnsAnswer(answer(dnsQuestion('shop.fairlead', { type: 28 }))), {
      id: 4711,
      code: 0,
      addresses: [],
      ttl: undefined,
    })
  })

  test('refuses other classes and does no zone transfer, notify or update', () => {
    equal(readDnsAnswer(answer(dnsQuestion('shop.fairlead', { class: 3 })))?.code, 5)
    deepEqual(readDnsAnswer(answer(dnsQuestion('shop.fairlead', { type: 252 })))?.addresses, [])
    equal(readDnsAnswer(answer(dnsQuestion('shop.fairlead', { flags: 0x2800 })))?.code, 4)
  })

  test('says nothing to answers, to packets without one question, and to broken ones', () => {
    const good = dnsQuestion('shop.fairlead')
    equal(answer(dnsQuestion('shop.fairlead', { flags: 0x8180 })), undefined)
    equal(answer(dnsQuestion('shop.fairlead', { questions: 0 })), undefined)
    equal(answer(dnsQuestion('shop.fairlead', { questions: 2 })), undefined)
    for (let length = 0; length < good.length; length++) {
      equal(answer(good.subarray(0, length)), undefined)
    }
    const pointer = Buffer.concat([good.subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])])
    equal(answer(pointer), undefined)
  })

  test('survives any packet, and answers none with more than it was asked', () => {
    const header = dnsQuestion('shop.fairlead').subarray(0, 12)
    const packets = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.uint8Array({ maxLength: 600 }).map(rest => Buffer.concat([header, rest])),
      fc.tuple(fc.nat(30), fc.nat(255)).map(([at, value]) => {
        const packet = Buffer.from(dnsQuestion('shop.fairlead'))
        packet[at] = value
        return packet
      }),
    )
    fc.assert(
      fc.property(packets, packet => {
        const said = answer(packet)
        ok(said === undefined || said.length <= packet.length + 16)
      }),
      { numRuns: 3_000 },
    )
  })
})
