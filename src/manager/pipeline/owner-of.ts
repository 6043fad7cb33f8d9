import type { CommandOwner } from '#contract/agent-frames.ts'

interface Named {
  readonly name: string
}

/** For whom commands of an app are. The app's name may be a pusher's choice, the repository's never is. */
export function ownerOf(app: Named, repository: Named | undefined): CommandOwner {
  return { app: app.name, ...(repository ? { repository: repository.name } : {}) }
}
