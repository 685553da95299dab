FROM busybox
RUN echo shared > /one
RUN ln /one /two
RUN echo more >> /two
