import { TargetList } from '#contract/rest/targets.ts'
import { appSchema } from '#deploy-file/schema.ts'
import { TARGETS } from '#targets/index.ts'
import type { Api } from './shape.ts'

/** What an app can be, and which settings it then has. */
export function targetRoutes(api: Api): void {
  api.get(
    '/targets',
    {
      schema: {
        summary: 'List the targets, with a JSON Schema of the settings of each',
        tags: ['apps'],
        response: { 200: TargetList },
      },
    },
    async () => ({
      items: TARGETS.map(target => ({
        name: target.name,
        summary: target.summary,
        schema: appSchema(target) as unknown as Record<string, unknown>,
      })),
    }),
  )
}
