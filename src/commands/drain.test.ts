import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Answer } from '#exec/recorder.ts'
import type { ContainerFacts } from '#programs/docker-containers.ts'
import { drain } from './drain.ts'
import { type TestHands, testHands } from './recorded-hands.test.ts'

const ORIGIN = 'http://127.0.0.1:2019'
const OLD = '10.1.0.16'
const PATH = '/reverse_proxy/upstreams'

describe('a replaced container', () => {
  test('is left as soon as the proxy has no request of it open', async () => {
    const busy = upstreams({ [`${OLD}:8080`]: 2, '10.1.0.17:8080': 9 })
    const idle = upstreams({ '10.1.0.17:8080': 9 })
    assert.equal(await drained(proxied([busy, busy, busy, idle]), [container(OLD)], 5_000), 800)
  })

  test('has all of its time for a request that does not end', async () => {
    const hands = proxied([upstreams({ [`${OLD}:8080`]: 0, [`${OLD}:9000`]: 1 })])
    assert.equal(await drained(hands, [container(OLD)], 5_000), 5_000)
  })

  test('has all of its time when the proxy does not say what is open', async () => {
    assert.equal(await drained(proxied([{ status: 404 }]), [container(OLD)], 5_000), 5_000)
    assert.equal(await drained(proxied([{ error: new Error('refused') }]), [container(OLD)], 5_000), 5_000)
    assert.equal(await drained(testHands([]), [container(OLD)], 5_000), 5_000)
  })

  test('that others than the proxy ask has all of its time', async () => {
    const hands = proxied([upstreams({})])
    assert.equal(await drained(hands, [container(OLD), container(undefined)], 5_000), 5_000)
  })

  test('that does not run, or has no time, is not waited for', async () => {
    assert.equal(await drained(testHands([]), [{ ...container(OLD), state: 'exited' }], 5_000), 0)
    assert.equal(await drained(testHands([]), [container(OLD)], 0), 0)
    assert.equal(await drained(proxied([upstreams({})]), [container(OLD)], 200), 200)
  })
})

/** How long it took. */
async function drained(hands: TestHands, containers: ContainerFacts[], mostMs: number): Promise<number> {
  await drain(hands, containers, mostMs)
  return hands.clock.monotonic()
}

function proxied(answers: readonly Answer[]): TestHands {
  const hands = testHands([[`GET ${ORIGIN}${PATH}`, answers]])
  const proxy = { adminOrigin: ORIGIN, httpPort: 80, httpsPort: 443, resolver: '127.0.0.1:53' }
  return { ...hands, host: { ...hands.host, proxy } }
}

function upstreams(open: Readonly<Record<string, number>>): Answer {
  return {
    json: Object.entries(open).map(([address, count]) => ({ address, num_requests: count, fails: 0 })),
  }
}

function container(address: string | undefined): ContainerFacts {
  const addresses = address === undefined ? {} : { fairlead: address }
  return { state: 'running', addresses } as unknown as ContainerFacts
}
