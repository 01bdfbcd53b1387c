// Tells the page when somebody else gets a pizza, over the server's WebSocket, and the others when we do.
import { visitorId } from './api';

interface Message {
  user?: unknown;
  ws_visitor_id?: unknown;
  msg?: unknown;
}

export class Nudge {
  private socket: WebSocket | undefined;
  private count = 0;

  constructor(private readonly onCount: (count: number) => void) {
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    this.connect(`${scheme}//${location.host}/ws`, 1000);
  }

  private connect(url: string, retryMs: number): void {
    const socket = new WebSocket(url);
    let hasOpened = false;
    socket.onopen = () => (hasOpened = true);
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = () => {
      const nextMs = hasOpened ? 1000 : Math.min(retryMs * 2, 60000);
      setTimeout(() => this.connect(url, nextMs), nextMs);
    };
    this.socket = socket;
  }

  private receive(data: unknown): void {
    let message: Message;
    try {
      message = JSON.parse(String(data)) as Message;
    } catch {
      return; // somebody's experiment
    }
    if (message === null || message.msg !== 'new_pizza') return;
    if ((message.ws_visitor_id ?? message.user) === visitorId) return;
    this.count += 1;
    this.onCount(this.count);
  }

  announce(): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.socket.send(JSON.stringify({ user: visitorId, ws_visitor_id: visitorId, msg: 'new_pizza' }));
  }
}

export function nudgeText(count: number): string {
  const noun = count === 1 ? 'recommendation' : 'recommendations';
  return `What are you waiting for? We have already given ${count} ${noun} since you opened the site!`;
}
