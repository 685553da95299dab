# options: --build-arg NAME=argument
FROM busybox
ARG NAME
RUN echo $NAME > /one
ENV NAME=environment
RUN echo $NAME > /two
ARG NAME=again
RUN echo $NAME > /three
