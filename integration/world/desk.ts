import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConsoleSize } from '#contract/rest/console.ts'
import type { DeploymentDocument } from '#contract/rest/deployments.ts'
import type { AddedPerson } from '#contract/rest/people.ts'
import type { BackupDocument } from '#contract/rest/system-backups.ts'
import type { SystemDocument } from '#contract/rest/systems.ts'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { command } from './command.ts'
import { startConsole } from './console.ts'
import { logIn } from './log-in.ts'
import { tokenOf } from './member.ts'
import { awaited, endOf, mustEnd } from './outcome.ts'
import type { System } from './system.ts'

interface Before {
  /** Asked when it is there. */
  readonly system: () => System
  /** File of the key that opens the machine. */
  readonly key: () => string
  /** Of the machine that is meant when none is named. */
  readonly name: string
}

export type Desk = ReturnType<typeof deskOf>

/** What somebody does who sits before a manager and has a machine. */
export function deskOf({ system, key, name }: Before) {
  const path = `/systems/${name}`

  async function send<T = DeploymentDocument>(
    method: 'POST' | 'PATCH' | 'PUT' | 'DELETE',
    path: string,
    body?: object,
  ): Promise<T> {
    return await system().together().client.send<T>(method, path, body)
  }

  const get = async <T>(path: string) => await system().together().client.get<T>(path)
  const shown = async (path_ = path) => await get<SystemDocument>(path_)

  async function seen(isSo: (each: SystemDocument) => boolean): Promise<SystemDocument> {
    return await awaited(async () => {
      const now = await shown()
      return isSo(now) ? now : undefined
    })
  }

  async function inside(words: string, path_ = path): Promise<string> {
    const { ssh } = await shown(path_)
    assert.ok(ssh)
    const { code, stdout, stderr } = await logIn(ssh, key(), words)
    assert.equal(code, 0, `${words}: ${stderr}`)
    return stdout
  }

  async function ended(id: string): Promise<BackupDocument> {
    return await awaited(async () => {
      // The manager may be away.
      const backup = await get<BackupDocument>(`/system-backups/${id}`).catch(() => undefined)
      return backup?.state === 'making' ? undefined : backup
    })
  }

  return {
    send,
    get,
    shown,
    seen,
    inside,
    end: async (asked: Promise<DeploymentDocument>) => await endOf(system(), asked),
    must: async (asked: Promise<DeploymentDocument>, outcome?: string) =>
      await mustEnd(system(), asked, outcome),
    /** The backup, once it is made or has failed. */
    ended,
    async backedUp(): Promise<BackupDocument> {
      const { id } = await send<BackupDocument>('POST', `${path}/backups`, {})
      const backup = await ended(id)
      assert.deepEqual([backup.state, backup.reason], ['kept', null])
      return backup
    },
    fileOf: ({ id }: BackupDocument) => join(system().folder, 'worker', 'system-backups', `${id}.age`),
    /** No deployment of it is under way. */
    settled: async () => {
      await seen(({ deployment }) => deployment !== null && deployment.finished_at !== null)
    },
    until: async (isSo: () => Promise<boolean>) => {
      await awaited(async () => ((await isSo()) ? true : undefined))
    },
    async place(): Promise<{ host: string; port: number }> {
      const { ssh } = await shown()
      assert.ok(ssh)
      return ssh
    },
    admin: () => readFileSync(system().together().tokenFile, 'utf8').trim(),
    openConsole: async (token: string, size: ConsoleSize) =>
      await startConsole(system().together().url, { system: name, token, size }),
    async newMember(email: string): Promise<{ id: string; token: string }> {
      const added = await send<AddedPerson>('POST', '/people', { name: 'Bob', email, role: 'viewer' })
      return { id: added.person.id, token: await tokenOf(system().together().url, added) }
    },
    /** How what was asked for at this path ended, as the audit log has it. */
    async auditOf(target: string): Promise<string[]> {
      const { items } = await get<{ items: { seq: number; target: string; result: string }[] }>(
        '/audit?limit=1000',
      )
      return items
        .filter(each => each.target === target)
        .sort((one, other) => one.seq - other.seq)
        .map(({ result }) => result)
    },
    /** The command of people, with what they type, and where it finds other programs. */
    async commandWith(args: readonly string[], typed: string, path = process.env.PATH ?? '') {
      const { folder } = system()
      const { url, tokenFile } = system().together()
      const env = { PATH: path, FAIRLEAD_MANAGER: url, FAIRLEAD_TOKEN_FILE: tokenFile }
      return await command(join(PACKAGE_ROOT, 'bin/fairlead'), args, { folder, env, input: typed })
    },
  }
}
