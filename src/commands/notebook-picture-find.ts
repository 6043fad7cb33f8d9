import { posix } from 'node:path'
import { FairleadError } from '#lib/errors.ts'
import { MOST_THUMBNAIL_BYTES, type Picture, readPicture } from '#previews/picture.ts'
import { readBlobBytes, readBlobs, treesOf } from '#programs/git-tree.ts'
import { NotebookSettings } from '#recipes/notebook-settings.ts'
import { readSettings } from '#recipes/read-settings.ts'
import type { Hands } from './command.ts'
import { foldersOf } from './repository-folders.ts'

export interface PictureData {
  readonly repository: string
  readonly commit: string
  readonly folder: string
  readonly entry?: string
}

const MARKERS = ['nb.yaml', 'nb.yml']
const MOST_SETTINGS_BYTES = 256 * 1024

/** The first that is there and is a picture by its bytes: what nb.yaml names, that of the entry notebook, `thumbnail.png`. */
export async function findPicture(hands: Hands, data: PictureData): Promise<Picture | undefined> {
  const { mirror } = foldersOf(hands.host.workspace, data.repository)
  const place = (path: string) => posix.join(data.folder, path)
  const stem = data.entry === undefined ? undefined : posix.basename(data.entry, '.ipynb')
  const marks = await hands.perform(treesOf(mirror, data.commit, MARKERS.map(place)))
  const marker = MARKERS.map(name => marks[place(name)]).find(id => id != null)
  const named = marker === undefined ? undefined : await namedBy(hands, mirror, marker)
  const paths = [
    ...(named === undefined ? [] : [named]),
    ...(stem === undefined ? [] : [`thumbnails/${stem}.png`]),
    'thumbnail.png',
  ].map(place)
  // What leads out of the folder is somebody else's.
  const own = paths.filter(
    path => !path.startsWith('../') && (data.folder === '.' || path.startsWith(`${data.folder}/`)),
  )
  const ids = await hands.perform(treesOf(mirror, data.commit, own))
  for (const path of own) {
    const picture = await pictureOf(hands, mirror, ids[path] ?? undefined)
    if (picture) {
      return picture
    }
  }
  return undefined
}

async function namedBy(hands: Hands, mirror: string, id: string): Promise<string | undefined> {
  const text = (await hands.perform(readBlobs(mirror, [id], MOST_SETTINGS_BYTES))).get(id) ?? ''
  return readSettings(NotebookSettings, text, 'nb.yaml').value?.preview?.thumbnail
}

async function pictureOf(hands: Hands, mirror: string, id: string | undefined): Promise<Picture | undefined> {
  try {
    return id === undefined
      ? undefined
      : readPicture(
          await hands.perform(readBlobBytes(mirror, id, MOST_THUMBNAIL_BYTES)),
          MOST_THUMBNAIL_BYTES,
        )
  } catch (error) {
    // Too large, or a folder.
    if (error instanceof FairleadError && !hands.signal.aborted) {
      return undefined
    }
    throw error
  }
}
