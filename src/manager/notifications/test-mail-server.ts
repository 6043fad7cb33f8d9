import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { selfSignedCertificate } from '#cli/demo/certificate.ts'

export interface Mailed {
  readonly from: string
  readonly to: readonly string[]
  readonly text: string
  readonly isSecure: boolean
  readonly user: string
}

/** A mail server that writes down what it gets, lets in whoever says "pass" and knows nobody called gone@example.org. */
export async function testMailServer(
  mailed: Mailed[],
  { names = [], ...options }: SMTPServerOptions & { readonly names?: readonly string[] } = {},
): Promise<{ readonly port: number; readonly ca: string; close(): Promise<void> }> {
  const { certificate, key } = await selfSignedCertificate(['localhost', '127.0.0.1', ...names])
  const server = new SMTPServer({
    cert: certificate,
    key,
    onAuth: ({ username = '', password }, _, done) =>
      password === 'pass' ? done(null, { user: username }) : done(new Error('wrong password')),
    onRcptTo: ({ address }, _, done) =>
      done(
        address === 'gone@example.org'
          ? Object.assign(new Error('no such person'), { responseCode: 550 })
          : undefined,
      ),
    onData: async (stream, { envelope, secure, user }, done) => {
      mailed.push({
        from: envelope.mailFrom ? envelope.mailFrom.address : '',
        to: envelope.rcptTo.map(each => each.address),
        text: await text(stream),
        isSecure: secure,
        user: String(user),
      })
      done()
    },
    ...options,
  })
  server.on('error', () => undefined)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  return {
    port: (server.server.address() as AddressInfo).port,
    ca: certificate,
    close: () => new Promise<void>(resolve => server.close(() => resolve())),
  }
}
