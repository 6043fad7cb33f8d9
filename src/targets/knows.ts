/** Whether a worker, which may be of an older release, knows a command of this name. */
export type Knows = (command: string) => boolean
