import { connect } from 'node:net'
import type { GreetingCall } from './greeting-call.ts'

const MOST = 255

/** Connects and gives the first line that comes. That nobody is there is an answer, no error. */
export function performGreeting<T>(call: GreetingCall<T>, signal: AbortSignal): Promise<T> {
  const { host, port, timeoutMs } = call
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: timeoutMs })
    let heard = ''
    const onAbort = () => end(() => reject(signal.reason))
    const end = (settle: () => void) => {
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      settle()
    }
    const answer = () => end(() => resolve(call.read(heard.split(/[\r\n]/)[0]?.slice(0, MOST) ?? '')))
    signal.addEventListener('abort', onAbort, { once: true })
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      heard += text
      if (heard.includes('\n') || heard.length > MOST) {
        answer()
      }
    })
    socket.on('timeout', answer)
    socket.on('error', answer)
    socket.on('close', answer)
  })
}
