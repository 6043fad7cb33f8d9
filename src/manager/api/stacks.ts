import { Type } from 'typebox'
import { strict } from '#contract/rest/fields.ts'
import {
  Fresh,
  ImageList,
  NewStack,
  StackChange,
  StackDefinitionList,
  StackList,
  StackPlace,
  WrittenStackDocument,
} from '#contract/rest/stacks.ts'
import { listImages } from '#manager/stacks/list-images.ts'
import { listDefinitions, listStacks } from '#manager/stacks/list-stacks.ts'
import { createStack, deleteStack, updateStack, type WrittenStack } from '#manager/stacks/write-stack.ts'
import { speakerOf } from './authenticate.ts'
import type { ApiParts } from './parts.ts'
import { type Api, headerOf } from './shape.ts'

const StackPath = Type.Object({ stack: Type.String({ pattern: '^[a-zA-Z0-9_.-]{1,63}$' }) }, strict)
const OfRepository = Type.Object({ repository: StackPlace.properties.repository, fresh: Fresh }, strict)
const OfAll = Type.Object({ fresh: Fresh }, strict)
const tags = ['stacks']
const PUSHED = 'The push deploys it: the answer comes before that.'

/** Stacks as code: reads observe the swarm and the repositories, writes go to Git and never to an engine. */
export function stackRoutes(api: Api, parts: ApiParts): void {
  api.get(
    '/stacks',
    {
      schema: {
        summary: 'List stacks: what runs of them, and what the repositories say',
        tags,
        querystring: OfRepository,
        response: { 200: StackList },
      },
    },
    async ({ query }) => await listStacks(parts, query),
  )

  api.get(
    '/stackDefinitions',
    {
      schema: {
        summary: 'List what stacks can be made of, with the options of each',
        tags,
        querystring: OfRepository,
        response: { 200: StackDefinitionList },
      },
    },
    async ({ query }) => await listDefinitions(parts, query),
  )

  api.get(
    '/images',
    {
      schema: {
        summary: 'List the images of all engines, with the file that describes each',
        tags,
        querystring: OfAll,
        response: { 200: ImageList },
      },
    },
    async ({ query }) => await listImages(parts, query),
  )

  api.post(
    '/stacks',
    {
      schema: {
        summary: 'Add a stack to the repository of its definition',
        description: PUSHED,
        tags,
        body: NewStack,
        response: { 202: WrittenStackDocument },
      },
    },
    async (request, reply) => {
      const { stackDefinition: definition, options = {}, enabled = true, ...rest } = request.body
      const wish = { ...rest, definition, options, enabled, by: speakerOf(request).name }
      return reply.code(202).send(documentOf(await createStack(parts, wish)))
    },
  )

  api.put(
    '/stacks/:stack',
    {
      schema: {
        summary: 'Give a stack its complete options anew',
        description: `${PUSHED} If-Match takes the version of the file as it was seen.`,
        tags,
        params: StackPath,
        querystring: StackPlace,
        body: StackChange,
        response: { 202: WrittenStackDocument },
      },
    },
    async (request, reply) => {
      const { stackDefinition: definition, options, enabled = true } = request.body
      const wish = {
        ...request.query,
        ...request.params,
        ...{ definition, options, enabled, by: speakerOf(request).name, version: seenVersion(request) },
      }
      return reply.code(202).send(documentOf(await updateStack(parts, wish)))
    },
  )

  api.delete(
    '/stacks/:stack',
    {
      schema: {
        summary: 'Remove a stack from its repository',
        description: 'The push removes what runs; volumes stay.',
        tags,
        params: StackPath,
        querystring: StackPlace,
        response: { 202: WrittenStackDocument },
      },
    },
    async (request, reply) => {
      const by = speakerOf(request).name
      const wish = { ...request.query, ...request.params, by, version: seenVersion(request) }
      return reply.code(202).send(documentOf(await deleteStack(parts, wish)))
    },
  )
}

/** What no file has is compared as well, and fits none. */
function seenVersion(request: Parameters<typeof headerOf>[0]): string | undefined {
  const header = headerOf(request, 'if-match')
  return header === undefined || header === '*' ? undefined : header.replace(/^"(.*)"$/, '$1')
}

function documentOf({ rendered, warnings, ...written }: WrittenStack) {
  const services = rendered ? rendered.services.map(each => ({ ...each })) : null
  return { ...written, services, warnings: [...warnings] }
}
