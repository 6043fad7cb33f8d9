import { Type } from 'typebox'
import { defineCommand } from './command.ts'
import { bringUp } from './compose-bring-up.ts'
import { ComposeContainer, ProjectName, RenderHash } from './compose-data.ts'
import { takeDown } from './compose-down.ts'
import { COMPOSE_STILL_SERVES } from './compose-errors.ts'
import { OWN_KEY } from './compose-model.ts'
import { DrainMs, retire } from './compose-retire.ts'
import { claimProject, readRender } from './compose-store.ts'
import { StartWish } from './compose-up.ts'
import { AppName } from './container-data.ts'
import { refuseForbiddenRender } from './stored-policy.ts'

const strict = { additionalProperties: false } as const

export const composeRestore = defineCommand({
  name: 'compose.restore',
  summary:
    'Brings the previous release of a project back, or takes the project down when there was none. Volumes stay.',
  role: 'worker',
  data: Type.Object(
    {
      app: AppName,
      project: ProjectName,
      render: Type.Union([RenderHash, Type.Null()]),
      /** Time for requests that the failed release is still answering. */
      drainMs: Type.Optional(DrainMs),
      ...StartWish,
    },
    strict,
  ),
  result: Type.Object({ services: Type.Array(ComposeContainer), touched: Type.Array(Type.String()) }, strict),
  deadlineMs: 30 * 60_000,
  lock: data => `compose:${data.project}`,
  async run(hands, data) {
    if (data.render === null) {
      await takeDown(hands, data.project, 'keep')
      return { services: [], touched: [] }
    }
    const render = await readRender(hands, data.project, data.render)
    await claimProject(hands, data.project, { ...render[OWN_KEY], app: data.app })
    const { project, render: hash } = data
    const admit = () => refuseForbiddenRender(hands, { name: project, shelf: project, hash, render })
    const wish = { ...data, render, hash, beside: [], isReturn: true, admit }
    const { services, touched, replaced } = await bringUp(hands, wish)
    const removed = await retire(hands, replaced, { project: data.project, drainMs: data.drainMs ?? 0 })
    if (removed.length < replaced.length) {
      throw COMPOSE_STILL_SERVES(data.project)
    }
    hands.say(`${data.project} is back at its previous release`, 'info')
    return { services, touched }
  },
})
