import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type Form = 'container' | 'compose'

export interface TinyApp {
  readonly form: Form
  readonly name: string
  readonly baseImage: string
  /** What the shell script pushes. */
  readonly image: string
  /** Where the shell script publishes it. */
  readonly port: number
}

/** Writes the same tiny app for Fairlead and for the shell script: one file copied into an image, served by httpd. */
export async function writeTinyApp(folder: string, app: TinyApp): Promise<void> {
  await mkdir(join(folder, 'app'), { recursive: true })
  const files: Record<string, string> = {
    'app/Dockerfile': `FROM ${app.baseImage}\nCOPY page /www/index.html\nEXPOSE 8080\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n`,
    'app/page': pageOf(0),
    'fairlead.yaml': deployFile(app),
    'compose.yaml': composeFile(''),
    'floor.yaml': composeFile(`    image: ${app.image}\n    ports: ["127.0.0.1:${app.port}:8080"]\n`),
  }
  for (const [path, text] of Object.entries(files)) {
    await writeFile(join(folder, path), text)
  }
}

/** The page of one push; no other page contains it. */
export function pageOf(push: number): string {
  return `page-${push}-end\n`
}

function deployFile({ form, name }: TinyApp): string {
  const settings =
    form === 'container'
      ? '    context: app\n    drain: 0s\n'
      : '    files: [compose.yaml]\n    routes: [{ service: web, port: 8080 }]\n'
  return `version: 1\napps:\n  ${name}:\n    target: ${form}\n${settings}`
}

function composeFile(more: string): string {
  return `services:\n  web:\n    build: app\n    init: true\n    stop_grace_period: 1s\n${more}`
}
