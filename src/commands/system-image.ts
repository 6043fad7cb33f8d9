import { asFairleadError } from '#lib/errors.ts'
import { imageNamed, listImageNames } from '#programs/incus-host.ts'
import type { Hands } from './command.ts'
import {
  SYSTEM_IMAGE_DAMAGED,
  SYSTEM_IMAGE_MISSING,
  SYSTEM_IMAGE_NOT_SERVED,
  SYSTEM_IMAGE_SERVER_AWAY,
} from './system-errors.ts'
import { systemsOf } from './system-incus.ts'

const OF_SERVER = 'images:'

/** What Incus is told to make a container of. SYSTEM_IMAGE_MISSING when the host has no image of this name. */
export async function sourceOf(hands: Hands, image: string): Promise<Readonly<Record<string, string>>> {
  const { socket, imageServer: server } = systemsOf(hands)
  if (image.startsWith(OF_SERVER)) {
    return { type: 'image', mode: 'pull', protocol: 'simplestreams', server, alias: aliasOf(image) }
  }
  const fingerprint = await hands.perform(imageNamed(socket, image))
  if (fingerprint === undefined) {
    throw SYSTEM_IMAGE_MISSING(image, hands.host.name, await hands.perform(listImageNames(socket)))
  }
  return { type: 'image', fingerprint }
}

/** Makes of an image; says which server and which image of it are meant where that one could not be had. */
export async function fetched<T>(hands: Hands, image: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (error) {
    const reason = String(asFairleadError(error).facts?.reason ?? '')
    if (hands.signal.aborted || !image.startsWith(OF_SERVER) || reason === '') {
      throw error
    }
    const about = [aliasOf(image), systemsOf(hands).imageServer] as const
    if (/hash mismatch/i.test(reason)) {
      throw SYSTEM_IMAGE_DAMAGED(...about, reason)
    }
    if (/image couldn't be found|image not found/i.test(reason)) {
      throw SYSTEM_IMAGE_NOT_SERVED(...about)
    }
    // The words of the HTTP client of Incus: "Get "https://…": dial tcp …", "Unable to fetch https://…: 404 Not Found".
    throw /https?:\/\/|dial tcp|x509/.test(reason) ? SYSTEM_IMAGE_SERVER_AWAY(...about, reason) : error
  }
}

function aliasOf(image: string): string {
  return image.slice(OF_SERVER.length)
}
