import { type KeyObject, sign, verify } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { EXPORTER_LABEL } from '#contract/agent-frames.ts'
import { lengthPrefixed } from './length-prefixed.ts'
import { fingerprintOf } from './public-identity.ts'

/** Everything both sides must have seen alike. A difference in any of it breaks both signatures. */
export interface Transcript {
  /** keyId of the agent. */
  readonly agent: string
  readonly agentNonce: Buffer
  readonly managerNonce: Buffer
  readonly epoch: number
  /** Every version the agent offered: taking one away on the wire (a downgrade) shows. */
  readonly versions: readonly number[]
  readonly channel: Channel
}

/** What names this one TLS connection: someone in between has two of them, and they differ. */
export interface Channel {
  readonly exporter: Buffer
  /** sha256 of the DER. */
  readonly clientCertificate: Buffer
  readonly serverCertificate: Buffer
}

type Signer = 'manager' | 'agent'

/** The signature over the transcript, base64. The signer's role is part of it, so a proof cannot be sent back. */
export function prove(signer: Signer, transcript: Transcript, key: KeyObject): string {
  return sign(null, bytesOf(signer, transcript), key).toString('base64')
}

export function isProven(
  signer: Signer,
  transcript: Transcript,
  proof: { key: KeyObject; sig: string },
): boolean {
  return verify(null, bytesOf(signer, transcript), proof.key, Buffer.from(proof.sig, 'base64'))
}

/** The channel seen from this end of a connected socket; undefined when a side showed no certificate. */
export function channelOf(socket: TLSSocket, end: 'client' | 'server'): Channel | undefined {
  const own = socket.getX509Certificate()
  const peer = socket.getPeerX509Certificate()
  if (!own || !peer) {
    return undefined
  }
  const [client, server] = end === 'client' ? [own, peer] : [peer, own]
  return {
    exporter: socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0)),
    clientCertificate: fingerprintOf(client.raw),
    serverCertificate: fingerprintOf(server.raw),
  }
}

function bytesOf(signer: Signer, transcript: Transcript): Buffer {
  const { agent, agentNonce, managerNonce, epoch, versions, channel } = transcript
  return lengthPrefixed(`fairlead/1 ${signer}`, [
    Buffer.from(agent),
    agentNonce,
    managerNonce,
    channel.exporter,
    channel.clientCertificate,
    channel.serverCertificate,
    Buffer.from(String(epoch)),
    Buffer.from(versions.join(',')),
  ])
}
