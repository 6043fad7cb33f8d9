import { rm } from 'node:fs/promises'
import type { Clock } from '#lib/clock.ts'
import { SEARCH_PATH } from './call.ts'
import type { CallContext } from './call-context.ts'
import { type HeldGroup, holdGroup } from './held-group.ts'
import { unmarkGroup } from './leftovers.ts'
import { bootId, exitIn, exitOfKeeper, isAlive, type Outliving, type OutlivingProgram } from './outliving.ts'
import { makePrintedFiles, PrintedFile } from './printed-files.ts'
import { processOf } from './process-group.ts'
import type { Ended, Exit } from './program-outcome.ts'
import { programSinks } from './program-sinks.ts'
import { locate, type Start, startProcess } from './start-process.ts'

/** Beyond this much of one output the program is ended. */
const MOST_PRINTED = 8 * 1024 * 1024
/** The same for while no worker looks, and for any other file that it writes, unless the call says more. */
const MOST_WRITTEN = 16 * 1024 * 1024
const BLOCK = 512
const LOOK_EVERY_MS = 50

/**
 * Only constant text, and what it works on as arguments: it starts the program and writes down how it ended, which
 * nobody else could learn once the worker is gone. It outlives a SIGTERM to its group, so that the group has a leader
 * for as long as the program is there. Without a worker the files of the call, which hold secrets, end with the program.
 */
const KEEPER = `trap : TERM XFSZ
unset PWD OLDPWD
ulimit -f "$1"
files=$2
shift 2
"$@" 3>&-
code=$?
echo "$code" >&3
if [ -n "$files" ] && ! kill -0 "$PPID" 2>/dev/null; then rm -rf -- "$files"; fi
exit "$code"`

interface Place extends Outliving {
  readonly what: string
  readonly temporary: string
}

/** Runs a program such that it outlives this worker; its output goes through files. */
export async function runOutliving(start: Start, { what, temporary, note }: Place): Promise<Ended> {
  const { call, context, files, stop } = start
  const blocks = Math.floor((call.maxFileBytes ?? MOST_WRITTEN) / BLOCK)
  const keeper = [await locate('sh', SEARCH_PATH), '-c', KEEPER, 'sh', String(blocks), files.folder ?? '']
  const printed = await makePrintedFiles(temporary)
  const { folder } = printed
  try {
    const { pid, exited } = await startProcess(
      start,
      [...keeper, start.path],
      ['ignore', ...printed.descriptors],
    )
    printed[Symbol.dispose]()
    using group = holdGroup({ pid, program: call.program, context, stop })
    const program = {
      what,
      program: call.program,
      pid,
      started: processOf(pid)?.started ?? 0,
      boot: bootId(),
      outputs: folder,
      ...(files.folder === undefined ? {} : { files: files.folder }),
      ...(call.show === undefined ? {} : { show: call.show }),
      ...(call.maxOutputBytes === undefined ? {} : { maxOutputBytes: call.maxOutputBytes }),
    }
    return await neverLeft(group, async () => {
      note(program)
      return await follow(program, { context, group, exit: exited.then(exitOfKeeper) })
    })
  } finally {
    printed[Symbol.dispose]()
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Takes up a program that an earlier worker began: shows what it prints, from its beginning, and waits for its end.
 * The context's signal ends it. Undefined when nobody knows how it ended. Nothing of it is left afterwards.
 */
export async function takeUp(program: OutlivingProgram, context: CallContext): Promise<Ended | undefined> {
  try {
    if (!isAlive(program)) {
      // Its number may be somebody else's by now: nobody is sent a signal.
      return await follow(program, { context, exit: Promise.resolve(exitIn(program.outputs)) })
    }
    using group = holdGroup({ ...program, context, stop: context.signal })
    return await neverLeft(group, () =>
      follow(program, { context, group, exit: leaderGone(program, context.clock) }),
    )
  } finally {
    unmarkGroup(program, context.temporary)
    for (const folder of [program.outputs, program.files]) {
      if (folder !== undefined) {
        await rm(folder, { recursive: true, force: true })
      }
    }
  }
}

/** What goes wrong here ends the program too. */
async function neverLeft<T>(group: HeldGroup, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    group.end()
    await group.gone()
    throw error
  }
}

async function leaderGone(program: OutlivingProgram, clock: Clock): Promise<Exit | undefined> {
  while (isAlive(program)) {
    await clock.sleep(LOOK_EVERY_MS)
  }
  return exitIn(program.outputs)
}

interface Followed<E extends Exit | undefined> {
  readonly context: CallContext
  readonly group?: HeldGroup
  readonly exit: Promise<E>
}

async function follow<E extends Exit | undefined>(
  program: OutlivingProgram,
  { context, group, exit }: Followed<E>,
): Promise<Ended | Exclude<E, Exit>> {
  const end = group?.end ?? (() => {})
  const sinks = programSinks(program, context, end)
  using stdout = new PrintedFile(program.outputs, 'stdout', sinks.stdout)
  using stderr = new PrintedFile(program.outputs, 'stderr', sinks.stderr)
  const files = [stdout, stderr]
  const isTooMuch = () => files.some(file => file.size > MOST_PRINTED)
  const looking = context.clock.every(LOOK_EVERY_MS, () => {
    for (const file of files) {
      file.readPiece()
    }
    if (isTooMuch()) {
      end()
    }
  })
  try {
    const known = await exit
    await group?.gone()
    for (const file of files) {
      while (file.total <= MOST_PRINTED && file.readPiece()) {}
      file.end()
    }
    if (!known) {
      return known as Exclude<E, Exit>
    }
    const ended = sinks.ended(known)
    return isTooMuch() ? { ...ended, overLimit: MOST_PRINTED } : ended
  } finally {
    looking.close()
  }
}
