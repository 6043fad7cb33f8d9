import type { FileCall, FileResult } from '#exec/call.ts'

type FileWish =
  FileCall<unknown> extends infer C ? (C extends unknown ? Omit<C, 'kind' | 'read'> : never) : never

export function fileCall(wish: FileWish): FileCall<FileResult> {
  return { kind: 'file', ...wish, read: result => result } as FileCall<FileResult>
}
