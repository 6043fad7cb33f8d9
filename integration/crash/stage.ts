import type { Victim } from './case.ts'

/** Who is killed at which moment of a row. */
export type Crashes = Readonly<Record<string, readonly Victim[]>>

export const PARTS = ['manager', 'worker', 'both'] as const
export const ALL: Crashes = { 'before-row': PARTS, 'after-row': PARTS, 'after-effect': PARTS }
export const BOTH: Crashes = { 'before-row': ['both'], 'after-row': ['both'], 'after-effect': ['both'] }

export interface AtCommand {
  readonly manager: Crashes
  readonly worker: Crashes
}

/** Where the other moments show nothing that another case does not. */
export const ONCE: Crashes = { 'after-effect': ['both'] }

/** A command with an effect: the crashes that those of its step are not (docs/decisions/0009). */
export const EFFECT: AtCommand = {
  manager: { 'after-row': ['manager'], 'after-effect': ['manager', 'both'] },
  worker: { 'before-row': ['worker'], 'after-row': PARTS, 'after-effect': ['worker', 'both'] },
}
/** One that only looks (of several at once, one stands for all), or that is told in another step too. */
export const BRIEF: AtCommand = {
  manager: { 'after-effect': ['manager'] },
  worker: { 'after-effect': ['both'] },
}

/** The commands that a step tells in the harness's apps, and the calls with an effect outside of Fairlead's own folders. */
export interface Stage {
  readonly step: Crashes
  readonly commands?: Readonly<Record<string, AtCommand>>
  readonly calls?: readonly Call[]
}

interface Call {
  readonly of: string
  readonly name: string
  /** As exec/shown.ts writes it; `*` stands for anything. */
  readonly call: string
  readonly victims?: readonly Victim[]
}

export type Stages = Readonly<Record<string, Stage>>
