import { decodeImage } from '../pixels/decode.ts';
import { answerTasks } from './answer.ts';

answerTasks(({ bytes, where }: { bytes: Uint8Array; where: string }) => decodeImage(bytes, where));
