import { join } from 'node:path'
import { Type } from 'typebox'
import { findingText } from '#policy/finding.ts'
import { scalarText, shapeOf } from '#policy/shape.ts'
import { defineCommand } from './command.ts'
import { ProjectName, RenderHash } from './compose-data.ts'
import { refuseFiles, refuseRoutes } from './compose-elsewhere.ts'
import { COMPOSE_RENDER_GONE } from './compose-errors.ts'
import { mountedFiles } from './compose-folders.ts'
import { describeServices, OWN_KEY } from './compose-model.ts'
import { RenderResult } from './compose-render.ts'
import { readRender } from './compose-store.ts'
import { LABEL } from './container-data.ts'
import { forbiddenNow } from './stored-policy.ts'

const strict = { additionalProperties: false } as const

export const composeRecall = defineCommand({
  name: 'compose.recall',
  summary:
    'Tells what an earlier release of a project is made of, if this host kept all of it and its policy allows it.',
  role: 'worker',
  data: Type.Object(
    {
      project: ProjectName,
      render: RenderHash,
      sharedVolumes: Type.Array(Type.String({ maxLength: 1_024 }), { maxItems: 100 }),
    },
    strict,
  ),
  result: Type.Object({ release: Type.Optional(RenderResult) }, strict),
  deadlineMs: 60_000,
  async run(hands, { project, render: hash, sharedVolumes }) {
    const render = await readRender(hands, project, hash).catch(undefinedIfGone)
    if (!render) {
      return {}
    }
    const [forbidden] = await forbiddenNow(hands, { name: project, shelf: project, hash, render })
    if (forbidden) {
      hands.say(
        `what was kept of this release is not used, because the policy of this host forbids it by now: ${findingText(forbidden)}`,
        'info',
      )
      return {}
    }
    const { routes, mounts } = render[OWN_KEY]
    const files = mountedFiles(hands.host.workspace, project)
    refuseRoutes(hands.host, routes)
    refuseFiles(hands.host, { mounts, hasValues: JSON.stringify(render).includes(`${files}/`) })
    for (const id of Object.values(mounts)) {
      const path = join(files, id)
      const { missing } = await hands.perform({ kind: 'file', operation: 'stat', path, read: found => found })
      if (missing) {
        return {}
      }
    }
    const described = Object.entries(describeServices(render, '/', sharedVolumes)).map(([name, service]) => {
      const { labels } = shapeOf(shapeOf(render.services)[name])
      // What its containers carry: the hash of the service as it was before it got that label.
      return [name, { ...service, hash: scalarText(shapeOf(labels)[LABEL.config]) ?? service.hash }]
    })
    return {
      release: {
        render: hash,
        services: Object.fromEntries(described),
        routes: [...routes],
        findings: [],
        warnings: [],
      },
    }
  },
})

function undefinedIfGone(error: unknown): undefined {
  if (!COMPOSE_RENDER_GONE.matches(error)) {
    throw error
  }
}
