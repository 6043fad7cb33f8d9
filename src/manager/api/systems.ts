import { Type } from 'typebox'
import { DeploymentDocument } from '#contract/rest/deployments.ts'
import {
  DeleteSystemQuery,
  NewSnapshot,
  NewSystem,
  RestoreBody,
  SnapshotPath,
  SystemChange,
  SystemDocument,
  SystemList,
  SystemPath,
  SystemsQuery,
} from '#contract/rest/systems.ts'
import { removeApp } from '#manager/apps/remove-app.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import { changed, portsIn, stateAfter } from '#manager/systems/asked.ts'
import { readBackup } from '#manager/systems/backups.ts'
import { changeSystem } from '#manager/systems/change-system.ts'
import { createSystem } from '#manager/systems/create-system.ts'
import { IMAGE_OR_BACKUP, RENAMED_ALONE, SYSTEM_NOT_CONFIRMED } from '#manager/systems/errors.ts'
import { keeperFor, ownerOf } from '#manager/systems/owners.ts'
import { readSystem, type SystemRecord } from '#manager/systems/queries.ts'
import { renameSystem } from '#manager/systems/rename-system.ts'
import { restoredTo, withoutSnapshot, withSnapshot } from '#manager/systems/snapshots.ts'
import { SSH_PORT, type SystemSettings } from '#targets/system-settings.ts'
import { speakerOf } from './authenticate.ts'
import { deploymentDocument } from './documents.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'
import { showSystem, systemsFor } from './shown-systems.ts'

const tags = ['systems']
const DEFAULTS = {
  memory_bytes: 1_073_741_824,
  cpus: 1,
  processes: 1_000,
  disk_bytes: 10_737_418_240,
} as const

/** System containers: machines of people's own. Each change answers with the deployment that brings it about. */
export function systemRoutes(api: Api, parts: ApiParts): void {
  const { db, config } = parts
  const range = () => config.systemPorts
  const shown = (record: SystemRecord) => showSystem(parts, record)

  function requested(deployment: Deployment): DeploymentDocument {
    parts.queue.wake()
    return deploymentDocument(deployment)
  }

  api.get(
    '/systems',
    {
      schema: {
        summary: 'List system containers by name',
        tags,
        querystring: SystemsQuery,
        response: { 200: SystemList },
      },
    },
    async request => {
      return { items: await systemsFor(parts, speakerOf(request), request.query.owner) }
    },
  )

  api.post(
    '/systems',
    {
      schema: {
        summary: 'Make a system container, which belongs to whoever asks',
        tags,
        body: NewSystem,
        response: { 202: DeploymentDocument },
      },
    },
    async (request, reply) => {
      const { name, host, member, owner, backup, ports = [], schedule, profile, ...asked } = request.body
      const speaker = speakerOf(request)
      const whose = speaker.role === 'admin' ? undefined : ownerOf(speaker).id
      const from = backup === undefined ? undefined : await readBackup(db, backup, whose)
      // One that had no limit of its disk is made without one.
      const kept = from && { disk_bytes: null, ...(JSON.parse(from.settings) as typeof asked) }
      const { disk_bytes, image, ...limits } = { ...DEFAULTS, ...kept, ...asked }
      if (image === undefined || (from && asked.image !== undefined)) {
        throw IMAGE_OR_BACKUP()
      }
      const wish = {
        ...{ name, host, member, image, from, schedule, profile, ports: portsIn(ports) },
        limits: { ...limits, ...(disk_bytes === null ? {} : { disk_bytes }) },
      }
      const by = { owner: await keeperFor(db, speaker, owner), by: speaker.name, range: range() }
      return reply.code(202).send(requested(await createSystem(parts, wish, by)))
    },
  )

  api.get(
    '/systems/:system',
    {
      schema: {
        summary: 'Read a system container',
        tags,
        params: SystemPath,
        response: { 200: SystemDocument },
      },
    },
    async ({ params }) => await shown(await readSystem(db, params.system)),
  )

  api.patch(
    '/systems/:system',
    {
      schema: {
        summary: 'Change limits, ports, schedule, member or name of a system container',
        description:
          'Limits and ports change while it runs; for another name or member it is stopped and started.',
        tags,
        params: SystemPath,
        body: SystemChange,
        response: { 202: DeploymentDocument },
      },
    },
    async (request, reply) => {
      const { params, body } = request
      const by = speakerOf(request).name
      const { name: to, ports, owner, backups, ...asked } = body
      if (to !== undefined && to !== params.system) {
        const others = Object.keys(body).filter(each => each !== 'name')
        if (others.length > 0) {
          throw RENAMED_ALONE(params.system, others)
        }
        return reply.code(202).send(requested(await renameSystem(parts, { name: params.system, to, by })))
      }
      const ssh = { protocol: 'tcp', container: SSH_PORT, sources: [] as string[] } as const
      const deployment = await changeSystem(parts, {
        ...{ name: params.system, by, change: settings => changed(settings, asked) },
        ...(backups === undefined ? {} : { backups }),
        ...(owner === undefined ? {} : { owner: await keeperFor(db, speakerOf(request), owner) }),
        ...(ports ? { ports: { wanted: [ssh, ...portsIn(ports)], range: range() } } : {}),
      })
      return reply.code(202).send(requested(deployment))
    },
  )

  for (const action of ['start', 'stop', 'restart'] as const) {
    api.post(
      `/systems/:system/${action}`,
      {
        schema: {
          summary: `${action[0]?.toUpperCase()}${action.slice(1)} a system container`,
          tags,
          params: SystemPath,
          response: { 202: DeploymentDocument },
        },
      },
      async (request, reply) => {
        const change = (settings: SystemSettings) => stateAfter(settings, action, parts.clock.now())
        const wish = { name: request.params.system, by: speakerOf(request).name, change }
        return reply.code(202).send(requested(await changeSystem(parts, wish)))
      },
    )
  }

  api.delete(
    '/systems/:system',
    {
      schema: {
        summary: 'Delete a system container with everything in it and its snapshots',
        description: 'Answers 204 when nothing of it was ever made.',
        tags,
        params: SystemPath,
        querystring: DeleteSystemQuery,
        response: { 202: DeploymentDocument, 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const name = request.params.system
      await readSystem(db, name)
      if (request.query.confirm !== name) {
        throw SYSTEM_NOT_CONFIRMED(name)
      }
      const by = speakerOf(request).name
      const removal = { name, by, version: undefined, volumes: 'delete', how: 'take-down' } as const
      const deployment = await removeApp(parts, removal)
      return deployment ? reply.code(202).send(requested(deployment)) : reply.code(204).send(null)
    },
  )

  api.post(
    '/systems/:system/snapshots',
    {
      schema: {
        summary: 'Keep what is on the disk of a system container now',
        tags,
        params: SystemPath,
        body: NewSnapshot,
        response: { 202: DeploymentDocument },
      },
    },
    async (request, reply) => {
      const { params, body } = request
      const change = (settings: SystemSettings) => withSnapshot(settings, params.system, body.name)
      const wish = { name: params.system, by: speakerOf(request).name, change }
      return reply.code(202).send(requested(await changeSystem(parts, wish)))
    },
  )

  api.delete(
    '/systems/:system/snapshots/:snapshot',
    {
      schema: {
        summary: 'Delete a snapshot of a system container',
        tags,
        params: SnapshotPath,
        response: { 202: DeploymentDocument },
      },
    },
    async (request, reply) => {
      const { params } = request
      const change = (settings: SystemSettings) => withoutSnapshot(settings, params.snapshot)
      const wish = { name: params.system, by: speakerOf(request).name, change }
      return reply.code(202).send(requested(await changeSystem(parts, wish)))
    },
  )

  api.post(
    '/systems/:system/restore',
    {
      schema: {
        summary: 'Bring the disk of a system container back to a snapshot',
        description: 'What was written since is lost, unless another snapshot has it. Limits and ports stay.',
        tags,
        params: SystemPath,
        body: RestoreBody,
        response: { 202: DeploymentDocument },
      },
    },
    async (request, reply) => {
      const { params, body } = request
      const change = (settings: SystemSettings) => restoredTo(settings, body.snapshot, parts.clock.now())
      const wish = { name: params.system, by: speakerOf(request).name, change }
      return reply.code(202).send(requested(await changeSystem(parts, wish)))
    },
  )
}
