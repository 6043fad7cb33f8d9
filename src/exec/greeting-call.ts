/** What a server says first when it is connected to, such as the version of an SSH server. Nothing is sent. */
export interface GreetingCall<T> {
  readonly kind: 'greeting'
  /** Address, no name. */
  readonly host: string
  readonly port: number
  readonly timeoutMs: number
  /** Gets the first line, at most 255 characters; empty: nobody answered, or without a word. */
  readonly read: (line: string) => T
}
