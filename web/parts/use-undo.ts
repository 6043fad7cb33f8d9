import { useToast } from '@nuxt/ui/composables/useToast'

const SHOWN_MS = 8000

/** A message of something that was done, with a way back for as long as it is shown. */
export function useUndo() {
  const toast = useToast()

  function offer(title: string, undo: () => unknown): void {
    toast.add({
      title,
      duration: SHOWN_MS,
      icon: 'i-lucide-circle-check',
      actions: [{ label: 'Undo', color: 'neutral', variant: 'outline', onClick: () => void undo() }],
    })
  }

  return { offer }
}
