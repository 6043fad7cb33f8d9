import { deepEqual, equal, ok } from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { type LogFields, silentLogger } from '#lib/logger.ts'
import { Secret } from '#lib/secret.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import { addApp, openTestStore } from '#manager/deployments/test-store.ts'
import { createFakeAgents, workingAnswers } from '#manager/pipeline/test-agents.ts'
import { openTestQueue } from '#manager/pipeline/test-queue.ts'
import { startSendingTraces } from './send-traces.ts'

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status: { readonly code: number; readonly message?: string }
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue: string } }[]
}

/** Reads what a collector is sent. */
async function startReceiver(t: TestContext, status = 200) {
  const spans: Span[] = []
  const heads: Record<string, unknown>[] = []
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request))
    heads.push({
      ...request.headers,
      service: body.resourceSpans[0].resource.attributes[0].value.stringValue,
    })
    spans.push(...body.resourceSpans[0].scopeSpans[0].spans)
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { spans, heads, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces` }
}

/** Runs deployments of an app and gives what was sent of them, once nothing is on its way any more. */
async function deployed(
  t: TestContext,
  config: { readonly url: string; readonly token?: string },
  { count = 1, answers = workingAnswers() } = {},
) {
  const store = await openTestStore()
  t.after(() => store.close())
  const logged: { readonly event: string; readonly fields: LogFields | undefined }[] = []
  const logger = {
    ...silentLogger,
    warn: (event: string, fields?: LogFields) => void logged.push({ event, fields }),
  }
  const token = config.token === undefined ? undefined : new Secret(config.token)
  const sending = startSendingTraces({ ...store, logger }, { url: config.url, token })
  const queue = openTestQueue(store, createFakeAgents(answers))
  const ids: string[] = []
  for (let at = 0; at < count; at += 1) {
    const appId = await addApp(store, `shop-${at}`)
    ids.push(
      (await requestDeployment(store, { appId, kind: 'deploy', trigger: { kind: 'api', by: 'test' } })).id,
    )
    queue.wake()
    await queue.idle()
  }
  await queue.close()
  await sending?.close()
  return { ids, logged }
}

test('a deployment is sent as a trace: itself, its wait, its steps, and the commands in them', async t => {
  const { spans, heads, url } = await startReceiver(t)
  const { ids } = await deployed(t, { url, token: 'of-the-collector' })
  equal(heads.length, 1)
  equal(heads[0]?.authorization, 'Bearer of-the-collector')
  equal(heads[0]?.service, 'fairlead')
  const [root, ...others] = spans
  ok(root)
  equal(root.name, 'deploy shop-0')
  equal(root.parentSpanId, undefined)
  equal(root.traceId, ids[0]?.replaceAll('-', ''))
  const told = Object.fromEntries(root.attributes.map(({ key, value }) => [key, value.stringValue]))
  equal(told['fairlead.deployment'], ids[0])
  equal(told['fairlead.state'], 'succeeded')
  equal(told['fairlead.trigger'], 'api')
  equal(root.status.code, 1)
  const named = new Map(spans.map(span => [span.spanId, span]))
  equal(named.size, spans.length)
  const parentOf = (name: string) =>
    named.get(others.find(span => span.name === name)?.parentSpanId ?? '')?.name
  for (const step of ['queue', 'checkout', 'plan', 'build', 'apply', 'verify', 'route']) {
    equal(parentOf(step), 'deploy shop-0', step)
  }
  equal(parentOf('container.start'), 'apply')
  for (const { name, startTimeUnixNano: from, endTimeUnixNano: to } of spans) {
    ok(BigInt(from) <= BigInt(to), name)
    ok(BigInt(from) >= BigInt(root.startTimeUnixNano) && BigInt(to) <= BigInt(root.endTimeUnixNano), name)
  }
})

test('what failed is an error with its code, and nothing of its text', async t => {
  const { spans, url } = await startReceiver(t)
  const fail = () => {
    throw new Error('canary: the last line of a build')
  }
  await deployed(t, { url }, { answers: { ...workingAnswers(), 'image.build': fail } })
  deepEqual(
    spans.filter(({ status }) => status.code === 2).map(({ name }) => name),
    ['deploy shop-0', 'build', 'image.build'],
  )
  ok(spans[0]?.status.message)
  equal(JSON.stringify(spans).includes('canary'), false)
})

test('a receiver that refuses is told of once, and deployments go on', async t => {
  const { spans, url } = await startReceiver(t, 400)
  const { logged } = await deployed(t, { url }, { count: 2 })
  equal(new Set(spans.map(({ traceId }) => traceId)).size, 2)
  deepEqual(
    logged.map(({ event }) => event),
    ['traces.failed'],
  )
})

test('without a receiver nothing is sent or loaded', async t => {
  const store = await openTestStore()
  t.after(() => store.close())
  equal(startSendingTraces({ ...store, logger: silentLogger }, undefined), undefined)
})
