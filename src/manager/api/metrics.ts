import { Type } from 'typebox'
import type { Metrics } from '#manager/metrics/metrics.ts'
import type { Api } from './shape.ts'

/** For Prometheus, which shows a token as everybody else does: what runs where is nothing for strangers. */
export function metricsRoutes(api: Api, metrics: Metrics): void {
  api.get(
    '/metrics',
    {
      schema: {
        summary: 'Figures for Prometheus',
        description:
          'Text in the exposition format 0.0.4. It counts from the first time that it is asked for.',
        tags: ['operations'],
        response: { 200: Type.String({ description: 'text/plain' }) },
      },
    },
    async (_, reply) => {
      const text = await metrics.text()
      return reply.header('content-type', metrics.contentType).send(text)
    },
  )
}
