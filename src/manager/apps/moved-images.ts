import type { AppTable } from '#manager/store/tables.ts'

/** Images by digest, by service. */
export type ImagesByService = Readonly<Record<string, string>>

/** What tags were last seen to mean, other than what runs. */
export interface MovedImages {
  /** What the deployment brings that was requested for them. */
  readonly bring: ImagesByService
  /** All that a deployment was requested for: no image is tried again in a loop. */
  readonly tried: ImagesByService
}

export function movedImages({ moved_images: text }: Pick<AppTable, 'moved_images'>): MovedImages {
  return text === null ? { bring: {}, tried: {} } : (JSON.parse(text) as MovedImages)
}
