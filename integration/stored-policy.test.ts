import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Hands, HostPolicy } from '#commands/command.ts'
import { composeRecall, composeRestore } from '#commands/compose.ts'
import { RELEASE_FORBIDDEN } from '#commands/compose-errors.ts'
import { mustRun } from './world/command.ts'
import { failure, rendered, simple, startComposeWorld, up, wish } from './world/compose-world.ts'
import type { ContainerWorld } from './world/container-world.ts'

const TRUSTED = { mode: 'trusted' } as const
/** Says the same as the rules of the world, in other words: what is kept is looked at again. */
const REWORDED = { mode: 'enforce', ports: { from: 20_001, to: 29_998, never: [] } } as const
const RICH = `command: ["sh", "-c", "mkdir -p /tmp/w && exec httpd -f -p 8080 -h /tmp/w"]
    ports: ["8080:8080"]
    environment: { A: "1", B: "\${GIVEN}" }
    volumes: ["./compose.yaml:/c:ro", "data:/data"]
    secrets: [token]
    configs: [{ source: note, target: /note }]
    healthcheck: { test: [CMD, "true"], interval: 200ms }
    deploy: { resources: { limits: { memory: 64m } } }
    ulimits: { nofile: 1024 }
    networks: [own]
  other:
    image: IMAGE
    init: true
    command: [sleep, "1000"]
    depends_on: [web]
    tmpfs: [/tmp/x]
    extra_hosts: ["here.example:203.0.113.1"]
networks: { own: {} }
volumes: { data: {} }
secrets: { token: { environment: TOKEN } }
configs: { note: { content: "hello" } }
`

describe('a version that is kept of a Compose project', () => {
  const stack = new AsyncDisposableStack()
  let world: ContainerWorld
  before(async () => {
    world = await startComposeWorld(stack)
  })
  after(() => stack.disposeAsync())

  test('comes back while the policy of the host allows it, though its words are others', async () => {
    const { render } = await rendered(world, simple(world, RICH.replace('IMAGE', world.base)), {
      variables: { GIVEN: 'x' },
      secrets: { TOKEN: 'hunter-two' },
    })
    const { render: hash } = await up(world, { render })
    const later = under(REWORDED)
    await up(later, { render: hash })
    const { release } = await recall(later, hash)
    deepEqual(Object.keys(release?.services ?? {}).sort(), ['other', 'web'])
    await mustRun('docker', ['stop', '--time', '0', `${world.app}-web-1`], world)
    await restore(later, hash)
    equal(await state(), 'running')
  })

  test('of a host that trusted is not started again once it enforces, and what runs goes on', async () => {
    const trusted = under(TRUSTED)
    const text = simple(world, 'cap_add: [NET_ADMIN]\n    command: [httpd, -f, -p, "8080"]')
    const { render } = await rendered(trusted, text)
    const { render: hash } = await up(trusted, { render })
    const enforced = under({ mode: 'enforce' })
    const forbidden = await failure(up(enforced, { render: hash }))
    ok(RELEASE_FORBIDDEN.matches(forbidden), String(forbidden))
    match(forbidden.message, /"box" forbids.*in the mode "trusted".*NET_ADMIN/)
    ok(forbidden.problems?.some(({ path }) => path === 'services.web.cap_add[0]'))
    ok(RELEASE_FORBIDDEN.matches(await failure(up(enforced, { render }))), 'nor what was rendered for it')
    deepEqual(await recall(enforced, hash), {}, 'so that its commit is rendered anew')

    const { touched } = await restore(enforced, hash)
    deepEqual(touched, [], 'nothing had to be started')
    equal(await state(), 'running')
    await mustRun('docker', ['stop', '--time', '0', `${world.app}-web-1`], world)
    ok(RELEASE_FORBIDDEN.matches(await failure(restore(enforced, hash))))
    equal(await state(), 'exited')
    await restore(trusted, hash)
    equal(await state(), 'running')
  })

  function under(policy: Partial<HostPolicy>): ContainerWorld {
    return { ...world, hands: world.handsWith({ policy }) }
  }

  async function state(): Promise<string> {
    const text = await mustRun('docker', ['inspect', '-f', '{{.State.Status}}', `${world.app}-web-1`], world)
    return text.trim()
  }
})

async function recall(world: ContainerWorld, render: string) {
  return await composeRecall.run(world.hands as Hands, { project: world.app, render, sharedVolumes: [] })
}

async function restore(world: ContainerWorld, render: string) {
  return await composeRestore.run(world.hands as Hands, { ...wish(world), render })
}
