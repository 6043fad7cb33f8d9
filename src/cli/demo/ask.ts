import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'

export interface Answer {
  readonly status: number
  readonly body: string
}

/** GETs a URL of this machine over a connection of its own; `ca` is the PEM to trust. Gives up after 2 s. */
export async function ask(url: string, ca?: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const options = { agent: false, signal: AbortSignal.timeout(2_000), ...(ca ? { ca } : {}) }
  const request = url.startsWith('https:') ? httpsRequest(url, options) : httpRequest(url, options)
  request.on('response', resolve).on('error', reject).end()
  const response = await promise
  return { status: response.statusCode ?? 0, body: await text(response) }
}

/** Whether a URL answers with this status; a refused connection is a no. */
export async function answersWith(status: number, url: string, ca?: string): Promise<boolean> {
  try {
    return (await ask(url, ca)).status === status
  } catch {
    return false
  }
}
