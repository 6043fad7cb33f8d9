import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '#exec/call.ts'
import type { Answer } from '#exec/recorder.ts'
import { shown } from '#exec/shown.ts'
import { LABEL } from './container-data.ts'
import { testHands } from './recorded-hands.test.ts'
import { registryCollect } from './registry-collect.ts'

/** A registry and its engine that remember what was done to them, and a worker that is killed at any of its calls. */
const access = { address: 'registry.example.org:5000', username: 'fairlead', password: 'x' }
const PINNED = digest('a')
const DATA = {
  ...{ app: 'registry', access, keep: [PINNED], ours: ['shop'], youngerThanMs: 0, dryRun: false },
}

test('R43 a collection that is killed at any call, and told again, loses nothing that is named and leaves the registry running', async () => {
  const whole = new World()
  const { gone } = await registryCollect.run(whole.hands(), DATA)
  assert.deepEqual(
    gone.map(each => each.digest),
    [digest('b'), digest('c')],
  )
  assert.deepEqual(whole.rest(), { manifests: [PINNED], isRunning: true, collector: undefined })
  assert.ok(whole.calls > 15, `${whole.calls} calls`)
  for (let at = 1; at <= whole.calls; at += 1) {
    for (const moment of ['before', 'after'] as const) {
      const world = new World()
      await assert.rejects(registryCollect.run(world.hands({ at, moment }), DATA), /killed/)
      await registryCollect.run(world.hands(), DATA)
      assert.deepEqual(
        world.rest(),
        { manifests: [PINNED], isRunning: true, collector: undefined },
        `killed ${moment} call ${at}: ${world.last}`,
      )
      assert.equal(world.faults.join(), '', `killed ${moment} call ${at}: ${world.last}`)
    }
  }
})

test('a collection that is cancelled while layers are deleted starts the registry again', async () => {
  const world = new World()
  const hands = world.hands()
  const run = registryCollect.run(
    {
      ...hands,
      perform: async call => {
        if (shown(call).includes('/wait')) {
          throw new Error('cancelled')
        }
        return await hands.perform(call)
      },
    },
    DATA,
  )
  await assert.rejects(run, /cancelled/)
  const { isRunning, collector } = world.rest()
  assert.deepEqual([isRunning, collector], [true, undefined])
})

interface Kill {
  readonly at: number
  readonly moment: 'before' | 'after'
}

class World {
  /** Where a call was made that must never be made. */
  readonly faults: string[] = []
  calls = 0
  last = ''
  #isRunning = true
  #collector: 'made' | 'runs' | undefined
  #manifests = new Set(['a', 'b', 'c'].map(digest))

  rest() {
    return { manifests: [...this.#manifests], isRunning: this.#isRunning, collector: this.#collector }
  }

  /** A worker of this world. One that was killed does nothing more, not even clean up. */
  hands(kill?: Kill) {
    const hands = testHands([[() => true, call => this.#answer(call)]])
    let calls = 0
    const perform = async <T>(call: Call<T>): Promise<T> => {
      calls += 1
      this.calls += 1
      const dies = kill && calls >= kill.at
      if (dies && (kill.moment === 'before' || calls > kill.at)) {
        throw new Error('killed')
      }
      this.last = kill ? shown(call as Call<unknown>) : this.last
      const result = await hands.perform(call)
      if (dies) {
        throw new Error('killed')
      }
      return result
    }
    return { ...hands, perform, performUntil: () => perform }
  }

  #answer(call: Call<unknown>): Answer {
    const [method = '', where = '', path = ''] = shown(call).split(' ')
    return where === 'docker' ? this.#ofEngine(`${method} ${path}`) : this.#ofRegistry(call, method)
  }

  #ofEngine(line: string): Answer {
    switch (line.replace(/\?.*$/, '')) {
      case 'GET /containers/json':
        return { status: 200, json: [{ Id: 'r' }] }
      case 'GET /containers/r/json':
        return { status: 200, json: this.#registry() }
      case 'POST /containers/r/stop':
        this.#isRunning = false
        return { status: 204 }
      case 'POST /containers/r/start':
        if (this.#collector === 'runs') {
          this.faults.push('the registry runs while layers are deleted')
        }
        this.#isRunning = true
        return { status: 204 }
      case 'DELETE /containers/registry-collector':
        this.#collector = undefined
        return { status: 204 }
      case 'POST /containers/create':
        if (this.#collector) {
          return { status: 409, json: { message: 'the name is taken' } }
        }
        this.#collector = 'made'
        return { status: 201, json: { Id: 'g' } }
      case 'POST /containers/g/start':
        if (this.#isRunning) {
          this.faults.push('layers are deleted while the registry runs')
        }
        this.#collector = 'runs'
        return { status: 204 }
      case 'POST /containers/g/wait':
        return { status: 200, json: { StatusCode: 0 } }
      default:
        throw new Error(`what is ${line}?`)
    }
  }

  #registry() {
    return {
      ...{ Id: 'r', Name: '/registry', Image: 'sha256:1', Created: '2026-01-01T00:00:00Z' },
      State: { Status: this.#isRunning ? 'running' : 'exited' },
      Config: { Image: 'registry:2', Labels: { [LABEL.app]: 'registry', [LABEL.deployment]: 'd1' } },
    }
  }

  #ofRegistry(call: Call<unknown>, method: string): Answer {
    assert.ok(call.kind === 'request')
    if (!this.#isRunning) {
      throw new Error('connection refused')
    }
    const [, , ...parts] = call.path.split('/')
    const name = parts.at(-1) ?? ''
    if (call.path === '/v2/') {
      return { status: JSON.stringify(call.engine).includes('fairlead') ? 200 : 401 }
    }
    if (name === '_catalog') {
      return { status: 200, json: { repositories: call.query?.last ? [] : ['shop'] } }
    }
    if (name === 'list') {
      return { status: 200, json: { tags: [...this.#manifests].map(tagOf) } }
    }
    if (parts.at(-2) === 'blobs') {
      const Labels = { [LABEL.app]: 'shop' }
      return { status: 200, json: { created: '1970-01-01T00:00:00Z', config: { Labels } } }
    }
    const found = [...this.#manifests].find(each => each === name || tagOf(each) === name)
    if (method === 'DELETE') {
      this.#manifests.delete(name)
      return { status: 202 }
    }
    return found
      ? {
          status: 200,
          headers: { 'docker-content-digest': found },
          json: { config: { digest: digest('f') } },
        }
      : { status: 404 }
  }
}

function digest(letter: string): string {
  return `sha256:${letter.repeat(64)}`
}

function tagOf(of: string): string {
  return `t-${of.slice(7, 39)}`
}
