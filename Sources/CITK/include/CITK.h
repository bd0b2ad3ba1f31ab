#ifndef CITK_H
#define CITK_H
#endif
