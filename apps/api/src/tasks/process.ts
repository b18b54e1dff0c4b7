import { answerTasks } from '@cxr-lens/data';
import { perform } from './tasks.ts';

answerTasks(perform);
